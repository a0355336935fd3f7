"""The commands: `kedro run` with errors that a person can read, and `understudy`."""

import copy
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli import project as kedro_project

from understudy.errors import UserError
from understudy.files import safe_name, sha256


@click.group()
def cli() -> None:
    """Commands that replace Kedro's own in this project."""


def _user_error(error: BaseException | None) -> UserError | None:
    """The UserError at the root of an exception, since Kedro wraps what a dataset raises."""
    while error is not None:
        if isinstance(error, UserError):
            return error
        error = error.__cause__ or error.__context__
    return None


class _Readable(click.Command):
    """A command that prints a user's mistake as one sentence, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            mistake = _user_error(error)
            if mistake is None:
                raise
            click.secho(f"Error: {mistake}", fg="red", err=True)
            sys.exit(1)


def _readable(command: click.Command) -> click.Command:
    """The same command, with errors that a person can read."""
    wrapped = copy.copy(command)
    wrapped.__class__ = _Readable
    return wrapped


cli.add_command(_readable(kedro_project.run), "run")


@click.group()
def understudy() -> None:
    """A stand-in for a person, made from very little footage."""


@understudy.group()
def consent() -> None:
    """The record that a person agreed, without which nothing is trained."""


def _day(text: str) -> date:
    """The date that was typed; a mistake makes click ask again."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(f"'{text}' is not a date: write it as YYYY-MM-DD.") from None


def _form(text: str) -> str | None:
    """SHA-256 of the form whose path was typed."""
    if not text:
        return None
    if not Path(text).is_file():
        raise click.BadParameter(f"{text} does not exist: give the path of the scanned or digital form.")
    return sha256(Path(text))


@consent.command("new", cls=_Readable)
@click.argument("name")
@click.option("--people", type=click.Path(path_type=Path), default=Path("data/01_raw/people"), show_default=True)
def consent_new(name: str, people: Path) -> None:
    """Write the consent record of the person NAME by asking for each field.

    A signed form that is put beside the record as signed_form.pdf (or .jpg and so on) is compared with its SHA-256 in
    each run.
    """
    from understudy.provenance.consent import FILE, USES, Consent, write_consent

    folder = people / safe_name(name, "person")
    if (folder / FILE).exists():
        raise UserError(f"{folder / FILE} exists already: edit it, or remove it first.")
    record = Consent(
        person=name,
        granted_by=click.prompt("Who agrees (the person, or whoever may agree for them)").strip(),
        granted_on=click.prompt("From which day", value_proc=_day, default=date.today().isoformat()),
        expires_on=click.prompt(
            "Until which day (empty: no end)",
            value_proc=lambda text: _day(text) if text else None,
            default="",
            show_default=False,
        ),
        scope=tuple(use for use in USES if click.confirm(f"May the footage be used to {use}?", default=False)),
        how=click.prompt("How was it given (such as: signed form, recorded on video)").strip(),
        signed_form_sha256=click.prompt(
            "Path of the signed form (empty: none)", value_proc=_form, default="", show_default=False
        ),
    )
    click.echo(f"Written: {write_consent(folder, record)}")


@understudy.command(cls=_Readable)
@click.argument("runs", nargs=-1, metavar="RUN RUN...")
@click.option("--out", type=click.Path(path_type=Path), help="The page; an SVG picture is written beside it.")
@click.option("--store", help="Address of the MLflow store.  [default: the project's mlflow.db]")
def compare(runs: tuple[str, ...], out: Path | None, store: str | None) -> None:
    """Put two or more runs beside each other: a page and a picture.

    A RUN is an MLflow run id, its unique beginning, the name of a run, or the path of an evaluation_scores.json
    or swap_quality.json.
    """
    from understudy.files import write_text
    from understudy.metrics.compare import draw, file_name, render
    from understudy.runs import find_runs
    from understudy.settings import project_root

    root = Path(project_root())
    found = find_runs(runs, store or f"sqlite:///{root / 'mlflow.db'}")
    page = out or root / "data/08_reporting/compare" / f"{file_name(found)}.html"
    if page.suffix != ".html":
        raise UserError(f"The page {page} needs a name that ends in .html: change --out.")
    texts = {page: render(found), page.with_suffix(".svg"): draw(found)}
    for path, text in texts.items():
        write_text(path, text)
        click.echo(f"Written: {path}")


@understudy.command(cls=_Readable)
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    metavar="FOLDER...",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--out", type=click.Path(path_type=Path), help="The page; an SVG picture is written beside it.")
def study(folders: tuple[Path, ...], out: Path | None) -> None:
    """Show how good swaps are by how many faces taught them: a page and a picture.

    All swaps that were measured below each of FOLDERS take part, such as the variants of one pair of people.
    """
    from understudy.files import write_text
    from understudy.metrics.study import draw, find_swaps, render

    swaps = find_swaps(folders)
    page = out or folders[0] / "study.html"
    if page.suffix != ".html":
        raise UserError(f"The page {page} needs a name that ends in .html: change --out.")
    for path, text in {page: render(swaps), page.with_suffix(".svg"): draw(swaps)}.items():
        write_text(path, text)
        click.echo(f"Written: {path}")


@understudy.command("verify", cls=_Readable)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a list of one object a file.")
@click.option(
    "--signing",
    type=click.Path(path_type=Path),
    default=Path("conf/local/signing"),
    show_default=True,
    help="Folder of the own signing key, whose signatures count as known.",
)
def verify_files(files: tuple[Path, ...], as_json: bool, signing: Path) -> None:
    """Say what each of FILES is: content credentials valid, broken or absent; watermark found or not.

    Exit code: 0 valid credentials, 1 broken ones, 2 none but the watermark, 3 neither, 4 unreadable; of several files,
    the highest.
    """
    from understudy.provenance.verify import verify

    verdicts = [verify(path, signing) for path in files]
    if as_json:
        click.echo(json.dumps([verdict.as_dict() for verdict in verdicts], indent=2))
    else:
        click.echo("\n".join(line for verdict in verdicts for line in verdict.lines()))
    sys.exit(max(verdict.code for verdict in verdicts))
