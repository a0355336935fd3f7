import hashlib
import json
from dataclasses import replace
from datetime import date

import mlflow
import pytest
from click.testing import CliRunner, Result
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from project import copy_project, kedro

from understudy.cli import understudy
from understudy.datasets.footage import FootageDataset
from understudy.errors import UserError
from understudy.hooks import ConsentCheck, check_parameters
from understudy.provenance.consent import Consent, check, write_consent


def test_consent_new_writes_a_record_that_holds(tmp_path):
    form = tmp_path / "form.pdf"
    form.write_bytes(b"signed")
    answers = ["Anna Example", "2026-01-02", "2999-01-01", "y", "n", "y", "signed form", str(form)]
    done = CliRunner().invoke(
        understudy, ["consent", "new", "anna", "--people", str(tmp_path)], input="\n".join(answers) + "\n"
    )
    assert done.exit_code == 0, done.output
    record = check(tmp_path / "anna", "anna", ("train", "swap"))
    assert record.expires_on == date(2999, 1, 1)
    assert record.signed_form_sha256 == hashlib.sha256(b"signed").hexdigest()
    with pytest.raises(UserError, match="synthesise"):
        check(tmp_path / "anna", "anna", ("synthesise",))


def test_consent_new_asks_again_after_a_mistake(tmp_path):
    answers = ["Anna Example", "soon", "2026-01-02", "later", "", "n", "n", "y", "by word", str(tmp_path / "none"), ""]
    done = CliRunner().invoke(
        understudy, ["consent", "new", "anna", "--people", str(tmp_path)], input="\n".join(answers) + "\n"
    )
    assert done.exit_code == 0, done.output
    assert "'soon' is not a date" in done.output and "none does not exist" in done.output
    record = check(tmp_path / "anna", "anna", ("swap",))
    assert (record.expires_on, record.scope, record.signed_form_sha256) == (None, ("swap",), None)


def test_consent_new_refuses_a_name_that_leaves_the_folder(tmp_path):
    done = CliRunner().invoke(understudy, ["consent", "new", "../x", "--people", str(tmp_path / "people")])
    assert done.exit_code == 1
    assert "cannot be a folder's name" in done.output
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> tuple[str, dict[str, str]]:
    """An MLflow store with two runs of one name, one of another, and one without figures: its address and run ids."""
    folder = tmp_path_factory.mktemp("store")
    address = f"sqlite:///{folder}/mlflow.db"
    client = mlflow.MlflowClient(address)
    experiment = client.create_experiment("trials", artifact_location=str(folder / "artifacts"))
    ids = {}
    for key, name, share in (("a", "small", 0.8), ("b", "large", 0.9), ("c", "large", 0.95), ("d", "bare", None)):
        run = client.create_run(experiment, run_name=name)
        ids[key] = run.info.run_id
        client.log_param(ids[key], "gan_training.training.kimg", key)
        if share is not None:
            for figure, value in (("share", share), ("low", share - 0.05), ("high", share + 0.04)):
                client.log_metric(ids[key], f"identity_scores.matched_{figure}", value)
    return address, ids


def compare(store: str, *words: str) -> Result:
    return CliRunner().invoke(understudy, ["compare", "--store", store, *words])


def test_compare_puts_runs_by_name_by_id_and_by_report_on_one_page(store, tmp_path):
    address, ids = store
    report = tmp_path / "evaluation_scores.json"
    report.write_text(json.dumps({"source": "anna", "size": 64, "identity": {"matched_share": 0.5, "curve": [1]}}))
    page = tmp_path / "new/page.html"
    done = compare(address, "small", ids["b"][:20], str(report), "--out", str(page))
    assert done.exit_code == 0, done.output
    text = page.read_text()
    for words in ("80.0 %", "90.0 %", "50.0 %", "anna, 64 px", "gan_training.training.kimg", "the paper 92.9 %"):
        assert words in text, words
    assert page.with_suffix(".svg").read_text().startswith("<svg") and str(page) in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["small"], "needs two runs or more"),
        (["small", "nobody"], "run 'nobody' is not in"),
        (["small", "large"], "'large' means 2 runs"),
        (["small", "small"], "'small' is given twice"),
        (["small", "bare"], "'bare' holds no figures of an evaluation"),
        (["small", "none.json"], "report none.json does not exist"),
        (["small", "{other}"], "is no report"),
    ],
)
def test_compare_names_what_cannot_be_compared(store, tmp_path, words, said):
    other = tmp_path / "other.json"
    other.write_text("[]")
    done = compare(store[0], *(word.format(other=other) for word in words), "--out", str(tmp_path / "page.html"))
    assert done.exit_code == 1 and said in done.output and "Traceback" not in done.output
    assert not (tmp_path / "page.html").exists()


def test_compare_makes_no_store_and_no_page_where_there_is_no_store(tmp_path):
    done = compare(f"sqlite:///{tmp_path}/mlflow.db", "one", "two", "--out", str(tmp_path / "page.html"))
    assert done.exit_code == 1 and "no MLflow store" in done.output
    assert not list(tmp_path.iterdir())


PARAMETERS = {"source": "anna", "target": "ben", "size": 64, "seed": 0}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"source": "../../etc"}, "source '../../etc'"),
        ({"target": "anna"}, "both 'anna'"),
        ({"size": 100}, "'size' = 100"),
        ({"sorce": "anna"}, "'sorce' does not exist"),
        ({"gan_training": {"kigm": 3}}, "gan_training.kigm"),
        ({"gan_training": 3}, "'gan_training' = 3"),
        ({"parallel": {"workers": "many"}}, "parallel.workers"),
    ],
)
def test_wrong_parameters_are_named(change, named):
    with pytest.raises(UserError, match=named.replace(".", r"\.")):
        check_parameters(PARAMETERS | change)


def test_good_parameters_pass():
    check_parameters(PARAMETERS | {"parallel": {"workers": 2}})


def test_a_run_on_results_alone_still_asks_for_consent(tmp_path):
    record = Consent("anna", "Anna", date(2020, 1, 1), date(2021, 1, 1), ("train", "synthesise", "swap"), "by word")
    held = replace(record, person="ben", expires_on=None)
    catalog = DataCatalog(
        {
            "consents": MemoryDataset({"source": record.as_dict(), "target": held.as_dict()}),
            "source_footage": FootageDataset(filepath=str(tmp_path / "anna")),
            "target_footage": FootageDataset(filepath=str(tmp_path / "ben")),
        }
    )
    training = Pipeline([Node(lambda data: data, "source_faces", "generator", name="train")])
    with pytest.raises(UserError, match=r"kept consent record of 'anna': the consent expired"):
        ConsentCheck().before_pipeline_run(pipeline=training, catalog=catalog)
    # the footage and its renewed record are there: they count
    for name, renewed in (("anna", replace(record, expires_on=None)), ("ben", held)):
        write_consent(tmp_path / name, renewed)
        (tmp_path / name / "a.mp4").write_bytes(b"x")
    ConsentCheck().before_pipeline_run(pipeline=training, catalog=catalog)
    # withdrawn
    (tmp_path / "anna" / "consent.yml").unlink()
    with pytest.raises(UserError, match=r"anna/consent\.yml is missing"):
        ConsentCheck().before_pipeline_run(pipeline=training, catalog=catalog)
    # a run that begins with the footage asks by itself, and one without any data has nothing to ask
    checking = Pipeline([Node(lambda data: data, "source_footage", "consents", name="check_consents")])
    ConsentCheck().before_pipeline_run(pipeline=checking, catalog=catalog)
    ConsentCheck().before_pipeline_run(
        pipeline=Pipeline([Node(lambda data: data, "params:source", "a")]), catalog=catalog
    )


def test_results_whose_consents_are_gone_are_not_used(tmp_path):
    training = Pipeline([Node(lambda data: data, "source_faces", "generator", name="train")])
    catalog = DataCatalog({"source_footage": FootageDataset(filepath=str(tmp_path / "anna"))})
    with pytest.raises(UserError, match="No consent record of the source was found"):
        ConsentCheck().before_pipeline_run(pipeline=training, catalog=catalog)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("project"))


def test_an_unknown_source_ends_with_one_sentence_and_no_traceback(project):
    (project / "data/01_raw/people/anna").mkdir(parents=True)
    done = kedro(project, "run", "--env", "test", "--params", "source=nobody,target=anna")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    message = next(line for line in done.stderr.splitlines() if line.startswith("Error: "))
    assert "data/01_raw/people/nobody" in message
    assert not (project / "data/03_primary").exists()


def test_a_misspelt_parameter_ends_before_any_node(project):
    done = kedro(project, "run", "--env", "test", "--params", "gan_training.trainng.kimg=3")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "gan_training.trainng" in done.stderr
