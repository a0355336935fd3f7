import subprocess
import sys

import torch

from understudy.gan import pretrain
from understudy.gan.networks import load_generator
from understudy.weights import load_weights

SMALL = [
    "--size",
    "16",
    "--kimg",
    "0.032",
    "--batch",
    "8",
    "--channel-base",
    "64",
    "--channel-max",
    "8",
    "--latent",
    "16",
]


def test_makes_a_base_of_several_people(tmp_path, make_faceset, monkeypatch, capsys) -> None:
    sets = [make_faceset(count=10, name="one"), make_faceset(count=12, name="two")]
    out = tmp_path / "base" / "16px"
    faces = [word for faceset in sets for word in ("--faces", str(faceset.path))]
    monkeypatch.setattr(sys, "argv", ["pretrain", *faces, "--out", str(out), *SMALL])
    assert pretrain.main() == 0
    assert "faces: 22" in capsys.readouterr().out
    weights = load_weights(out, "stylegan2")
    assert {tensor.dtype for tensor in weights.tensors.values()} == {torch.float16}
    picture = load_generator(weights)(torch.randn(1, 16))
    assert picture.shape == (1, 3, 16, 16)
    assert picture.isfinite().all()
    assert out.with_name("16px_grid.png").is_file()


def test_a_mistake_is_one_sentence(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["pretrain", "--faces", str(tmp_path), "--out", str(tmp_path / "x"), *SMALL])
    assert pretrain.main() == 1
    assert "is not complete" in capsys.readouterr().err


def test_needs_neither_the_pipeline_nor_the_detector() -> None:
    heavy = ("kedro", "mlflow", "dlib", "av")
    code = f"import sys, understudy.gan.pretrain; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
