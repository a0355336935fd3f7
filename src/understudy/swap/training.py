"""Training of the swap: from two facesets to the weights that rendering needs, resumable at any moment."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch.utils.data import DataLoader

from understudy.checkpoint import ROLLBACKS, load_good, load_state, save_state
from understudy.errors import Diverged, UserError
from understudy.faces.faceset import Faceset
from understudy.faces.identity import medoid
from understudy.faces.selection import Selection
from understudy.files import fingerprint
from understudy.memory import keep_memory
from understudy.processes import PlainStrategy, processes_per_node, share_from_environment
from understudy.progress import meter
from understudy.swap.config import SwapConfig
from understudy.swap.data import held_out_rows, source_tensors, target_tensors, turned_towards
from understudy.swap.likeness import Likeness
from understudy.swap.module import State, SwapModule
from understudy.swap.networks import Trainee, fast_layout, weights_of
from understudy.swap.preview import preview
from understudy.swap.watch import OnPreview, Watch
from understudy.weights import Weights

_UNTRAINED = ("log_every", "preview_every", "checkpoint_every")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Teachers:
    """Whose faces teach the swap.

    Args:
        synthetic: synthetic faces of the source.
        real: filmed faces of the source, used when `config.faces` is `real` or `mix`.
        target: filmed faces of the target.
        real_rows: the rows of `real` that teach; all when None.
        target_rows: the rows of `target` that teach; all when None.
        held_out: the rows of `real` that are kept for judging, and are not among those that teach.
    """

    synthetic: Faceset
    real: Faceset
    target: Faceset
    real_rows: np.ndarray | None = None
    target_rows: np.ndarray | None = None
    held_out: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def used(self, faces: str) -> list[Faceset]:
        """The source's facesets that `faces` names."""
        return {"synthetic": [self.synthetic], "real": [self.real], "mix": [self.synthetic, self.real]}[faces]


def choose_teachers(
    synthetic: Faceset, real: Faceset, target: Faceset, selection: Selection, target_rows: np.ndarray | None = None
) -> Teachers:
    """All that may teach: of the filmed faces those that `selection` chose, less the ones kept for judging.

    Args:
        synthetic: synthetic faces of the source.
        real: filmed faces of the source.
        target: filmed faces of the target.
        selection: which of `real` are kept, and which teach.
        target_rows: the rows of `target` that teach; all when None.
    """
    held_out = held_out_rows(real, selection.rows)
    taught = np.setdiff1d(selection.training_rows, held_out)
    return Teachers(synthetic, real, target, taught, target_rows, held_out)


@dataclass(frozen=True)
class TrainResult:
    """What training leaves.

    Args:
        weights: what rendering needs.
        summary: iterations, seconds, losses, numbers of faces.
        preview: the last preview picture.
    """

    weights: Weights
    summary: dict[str, Any]
    preview: np.ndarray


def train(
    teachers: Teachers,
    config: SwapConfig,
    size: int,
    seed: int,
    checkpoints: Path,
    lightning_logger: Logger | None = None,
    on_preview: OnPreview | None = None,
) -> TrainResult:
    """Train the swap, going on from the last checkpoint of the same faces and parameters if there is one.

    A training that fails (a number that is none, a loss that has risen for long) goes back to its last good checkpoint
    and on at half the learning rate, twice at most. Under torchrun every process calls this with the same arguments.

    Args:
        teachers: the faces.
        config: all parameters.
        size: pixels of the crops.
        seed: of initial weights and of everything drawn.
        checkpoints: folder with a subfolder for each set of faces and parameters.
        lightning_logger: where losses go.
        on_preview: called with name, RGB picture and iteration.

    Raises:
        UserError: too few faces, a size or a batch that does not fit, a full disk, damaged checkpoints, divergence.
    """
    share = share_from_environment()
    if config.training.batch % share.world:
        raise UserError(
            f"Parameter 'deepfake.training.batch' = {config.training.batch} cannot be shared by {share.world} "
            f"processes: use a multiple of {share.world}."
        )
    folder = checkpoints / key_of(teachers, config, size, seed)
    source = source_tensors(teachers.synthetic, teachers.real, config, teachers.real_rows, seed)
    target = target_tensors(teachers.target, config, teachers.target_rows)
    faces = (turned_towards(source, target, config.augment, seed) if config.augment.turn else source, target)
    arguments = {"size": size, **{name: value for name, value in asdict(config.network).items() if name != "kind"}}
    keep_memory()
    watch = Watch(config, folder, faces, on_preview if share.rank == 0 else None, share.rank == 0)
    module = _run(watch, teachers, seed, arguments, lightning_logger)
    seconds = watch.seconds or module.before
    summary = {
        "iterations": module.iteration,
        "seconds": round(seconds, 1),
        "iterations_per_second": round(module.iteration / max(seconds, 1e-9), 3),
        "source_faces": len(faces[0]),
        "target_faces": len(faces[1]),
        "parameters": sum(parameter.numel() for parameter in module.network.parameters()),
        "processes": share.world,
        "rollbacks": len(watch.troubles),
        "troubles": watch.troubles,
        **{name.removeprefix("swap/"): round(value, 5) for name, value in module.losses.items()},
        "faces": config.faces,
        "held_out": {
            "faces": len(teachers.held_out),
            "clips": sorted(set(teachers.real.column("clip")[teachers.held_out].tolist())),
        },
    }
    network = module.network.cpu()
    return TrainResult(weights_of(network, arguments, summary), summary, preview(network, *faces))


def key_of(teachers: Teachers, config: SwapConfig, size: int, seed: int) -> str:
    """The name of a training: equal when faces, size, seed and everything that shapes the result are equal."""
    schedule = {name: value for name, value in asdict(config.training).items() if name not in _UNTRAINED}
    used = [*teachers.used(config.faces), teachers.target]
    shards = [[shard.sha256 for shard in faceset.shards] for faceset in used]
    parts = [asdict(part) for part in (config.network, config.losses, config.augment)]
    real_rows = None if config.faces == "synthetic" else teachers.real_rows
    rows = [None if chosen is None else chosen.tolist() for chosen in (real_rows, teachers.target_rows)]
    return fingerprint(config.faces, config.count, config.variety, schedule, parts, shards, size, seed, rows)


def _run(
    watch: Watch, teachers: Teachers, seed: int, arguments: dict[str, Any], lightning_logger: Logger | None
) -> SwapModule:
    """Train to the end, going back as often as is allowed."""
    config, total = watch.config, watch.config.training.iterations
    saved = load_state(watch.folder)
    rate = 1.0
    # Before the seed is set: the embedder is made once a process, and making it draws numbers.
    likeness = _likeness(teachers, config, arguments["size"]) if config.losses.identity else None
    while True:
        torch.manual_seed(seed)
        network = fast_layout(Trainee(**arguments, kind=config.network.kind))
        module = SwapModule(network, *watch.faces, config, seed, watch, likeness, share_from_environment())
        module.rate = rate
        with meter("Training the swap (iterations)", total) as shown:
            watch.begin(shown)
            if saved is not None:
                _restore(module, State(**saved), watch)
                logger.info("Going on from iteration %d of %d.", module.iteration, total)
                shown.start_at(module.iteration)
            if module.iteration >= total:
                return module
            try:
                _fit(module, config, lightning_logger)
                if not module.finite:
                    raise Diverged("the weights are no numbers")
            except Diverged as trouble:
                saved, rate = _go_back(module, watch, str(trouble))
            else:
                return module


def _restore(module: SwapModule, state: State, watch: Watch) -> None:
    module.restore(state)
    watch.health.restore(state.health)
    watch.troubles = list(state.troubles)


def _go_back(module: SwapModule, watch: Watch, trouble: str) -> tuple[dict[str, Any] | None, float]:
    """The last good state, None when there is none, and half the learning rate.

    Raises:
        UserError: that has been done too often.
    """
    if len(watch.troubles) >= ROLLBACKS:
        raise UserError(
            f"The swap's training diverged at iteration {module.iteration} ({trouble}), as it did before at twice the "
            "learning rate: lower 'deepfake.training.lr'; the last good checkpoint is kept."
        )
    state = load_good(watch.folder)
    back, rate = (state["iteration"] if state else 0), module.rate / 2
    line = f"iteration {module.iteration}: {trouble}; back to {back}, at half the learning rate"
    watch.troubles = [*watch.troubles, line]
    logger.warning("The swap's training failed at %s.", line)
    if state is not None:
        state |= {"rate": rate, "troubles": watch.troubles}
        if watch.first:
            save_state(watch.folder, state)
    return state, rate


def _likeness(teachers: Teachers, config: SwapConfig, size: int) -> Likeness:
    """Who the source is, by the faces that teach; where the eyes of crops lie, by the target's."""
    embeddings = np.concatenate([faceset.column("embedding") for faceset in teachers.used(config.faces)])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Likeness(medoid(embeddings), teachers.target.landmarks(), size, device)


def _fit(module: SwapModule, config: SwapConfig, lightning_logger: Logger | None) -> None:
    """Run Lightning over the iterations that are left."""
    cuda = torch.cuda.is_available()
    here, nodes = processes_per_node(module.share.world)
    alone = module.share.world == 1
    trainer = pl.Trainer(
        accelerator="gpu" if cuda else "cpu",
        devices=here,
        num_nodes=nodes,
        strategy="auto" if alone else PlainStrategy(process_group_backend="nccl" if cuda else "gloo"),
        precision="bf16-mixed" if cuda and config.training.precision == "auto" else "32-true",
        max_epochs=1,
        logger=lightning_logger if lightning_logger and module.share.rank == 0 else False,
        benchmark=cuda,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,  # the module logs by itself
    )
    numbers = _Numbers(range(module.iteration, config.training.iterations))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")  # the faces are on the device already
        trainer.fit(module, DataLoader(numbers, batch_size=None))
    if trainer.interrupted:
        raise KeyboardInterrupt


class _Numbers(torch.utils.data.IterableDataset[int]):
    """Numbers of iterations; not a list, of which Lightning would give each process a part."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = numbers

    def __iter__(self) -> Any:
        return iter(self.numbers)
