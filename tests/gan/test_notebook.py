import base64
import shutil
from pathlib import Path

import cv2
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from understudy.gan.generator import Generator
from understudy.gan.grid import tile
from understudy.gan.synthesis import draw

ROOT = Path(__file__).parents[2]


def test_the_notebook_draws_faces_in_three_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data/06_models/grace_hopper/64px"
    folder.mkdir(parents=True)
    for suffix in (".safetensors", ".json"):
        shutil.copy((ROOT / "data/06_models/base/64px").with_suffix(suffix), (folder / "generator").with_suffix(suffix))
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    notebook = nbformat.read(ROOT / "notebooks/faces.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path / "notebooks"}}).execute()

    pictures = [
        cv2.imdecode(np.frombuffer(base64.b64decode(output["data"]["image/png"]), np.uint8), cv2.IMREAD_COLOR_RGB)
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 3
    expected = tile(draw(Generator.from_pretrained(folder / "generator"), range(8), 0.7))
    # another process may have another number of threads, which rounds a few pixels the other way
    np.testing.assert_allclose(pictures[0].astype(int), expected.astype(int), atol=1)
