"""Training a generator of one person, resumable at any moment."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
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
from understudy.files import fingerprint
from understudy.gan import chance, keep
from understudy.gan.config import GanConfig, check_size
from understudy.gan.data import read_faces
from understudy.gan.device import memory_used, place_pictures, plan_device, prepare
from understudy.gan.distributed import check_batch
from understudy.gan.leak import leak_figures
from understudy.gan.module import GanModule
from understudy.gan.networks import load_generator, pack, start_from, weights_key
from understudy.gan.quality import FaceDistance, usual_landmarks
from understudy.gan.synthesis import draw
from understudy.gan.watch import Budget, Job, OnGrid, Watch
from understudy.processes import PlainStrategy, processes_per_node, share_from_environment
from understudy.progress import meter
from understudy.weights import Weights, load_weights

LEAK_FACES = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainResult:
    """What training leaves: networks of kind `stylegan2`, figures, and a grid of filmed and drawn faces (H, W, 3)."""

    weights: Weights
    summary: dict[str, Any]
    grid: np.ndarray


def train(
    facesets: Faceset | Sequence[Faceset],
    config: GanConfig,
    size: int,
    seed: int,
    checkpoints: Path,
    base: Weights | None = None,
    tracker: Logger | None = None,
    on_grid: OnGrid | None = None,
    budget: Budget | None = None,
    rows: Sequence[np.ndarray] | None = None,
) -> TrainResult:
    """Train on `facesets` until `kimg` is reached; go on from a checkpoint of the same inputs if there is one.

    A training that fails (a number that is none, one picture for all latents) goes back to its last good checkpoint and
    on at half the learning rate, twice at most. Under torchrun every process calls this with the same arguments.

    Args:
        facesets: one or several complete facesets of `size` pixels; rows without a face are left out.
        config: network, training, start.
        size: pixels of the crops.
        seed: of the first weights and everything random.
        checkpoints: folder for the training state.
        base: the weights to start from when `config.start` is `base`.
        tracker: a Lightning logger for the figures.
        on_grid: called with a name, an RGB picture and the thousands of images seen.
        budget: a time after which to stop early.
        rows: the row numbers of each faceset that teach; all when None.

    Raises:
        UserError: too few faces, a wrong size, weights to start from of another architecture, damaged checkpoints, a
            full disk, or training that failed for good.
    """
    sets = [facesets] if isinstance(facesets, Faceset) else list(facesets)
    check_size(size)
    share = share_from_environment()
    settings = config.training
    check_batch(settings.batch, settings.deviation_group, share.world)
    chance.set_share(share)
    base = load_weights(config.start_path) if config.start_path is not None else base
    if config.start == "scratch":
        base = None
    elif base is None:
        raise UserError("No base checkpoint was given: set 'gan_training.start: scratch' or supply the file.")
    based_on = None if base is None else weights_key(base)
    faces = read_faces(sets, size, settings.memory_mb, rows)
    folder = checkpoints / fingerprint(config.identity(), based_on, faces.key, size, seed)
    landmarks = usual_landmarks(sets)
    distance = FaceDistance(faces, landmarks, settings.measure_count) if settings.measure_every_kimg else None
    first = share.rank == 0
    job = Job(config, size, seed, folder, faces, distance, tracker if first else None, on_grid if first else None)
    job.budget = budget or Budget()
    return _result(job, _run(job, base), landmarks)


def _run(job: Job, base: Weights | None) -> Watch:
    """Train to the end, going back as often as is allowed."""
    plan = plan_device(job.config.training)
    prepare(plan)
    state = load_state(job.folder)
    job.troubles = list(state["troubles"]) if state else []
    while True:
        torch.manual_seed(job.seed)
        module = GanModule(job.config.network, job.config.training, job.size, plan)
        if base is not None and state is None:
            start_from(module, job.config.network, base)
        for group in (group for optimiser in module.configure_optimizers() for group in optimiser.param_groups):
            group["lr"] *= job.lr_factor
        watch = Watch(job, module, state)
        if watch.finished or watch.resumed_at >= job.target:
            watch.restore()
            return watch
        try:
            _fit(job, module, watch)
        except Diverged as trouble:
            state = _go_back(job, module, str(trouble))
        else:
            return watch


def _fit(job: Job, module: GanModule, watch: Watch) -> None:
    """Run Lightning until the feed ends."""
    plan, share = module.plan, chance.share()
    place = partial(place_pictures, plan=plan)
    watch.feed = job.faces.feed(job.config.training.batch, job.seed, watch.resumed_at, job.target, share, place)
    logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
    here, nodes = processes_per_node(share.world)
    trainer = pl.Trainer(
        accelerator="gpu" if plan.cuda else "cpu",
        devices=here,
        num_nodes=nodes,
        strategy=PlainStrategy(process_group_backend="nccl" if plan.cuda else "gloo") if share.world > 1 else "auto",
        max_epochs=1,
        logger=job.tracker or False,
        benchmark=plan.cuda,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=[watch],
    )
    with warnings.catch_warnings(), meter("training the generator", job.target) as shown:
        # the pictures lie in memory already, or the feed has workers of its own
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")  # the running mean
        shown.start_at(watch.resumed_at)
        watch.shown = shown if watch.first else None
        trainer.fit(module, DataLoader(watch.feed, batch_size=None, num_workers=0))
    if trainer.interrupted:
        raise KeyboardInterrupt
    watch.finish()


def _go_back(job: Job, module: GanModule, trouble: str) -> dict[str, Any] | None:
    """Load the last good state with half its learning rate; None: there is none, so from the start.

    Raises:
        UserError: that has been done too often.
    """
    kimg = module.images_seen / 1000
    if len(job.troubles) >= ROLLBACKS:
        raise UserError(
            f"Training diverged after {kimg:.2f} kimg ({trouble}), as it did before at twice the learning rate: lower "
            "'gan_training.training.lr' or raise 'r1_gamma'; the last good checkpoint is kept."
        )
    state = load_good(job.folder)
    back = state["images"] / 1000 if state else 0.0
    if state is None:
        job.lr_factor /= 2
    else:
        for group in (group for optimiser in state["optimisers"] for group in optimiser["param_groups"]):
            group["lr"] /= 2
    line = f"{kimg:.2f} kimg: {trouble}; back to {back:.2f} kimg, at half the learning rate"
    job.troubles = [*job.troubles, line]
    logger.warning("Training failed at %s.", line)
    if state is not None:
        state["troubles"] = job.troubles
        if chance.share().rank == 0:
            save_state(job.folder, state)
    return state


def _result(job: Job, watch: Watch, landmarks: np.ndarray) -> TrainResult:
    module, config, plan = watch.module, job.config, watch.module.plan
    fresh = watch.seconds_per_kimg
    total = watch.seconds if fresh else watch.earlier
    name = torch.cuda.get_device_name() if plan.cuda else "cpu"
    summary: dict[str, Any] = {
        "kimg": module.images_seen / 1000,
        "faces": len(job.faces),
        "seconds": total,
        "seconds_per_kimg": fresh or total / max(module.images_seen, 1) * 1000,
        "resumed_at_kimg": watch.resumed_at / 1000,
        "parameters_generator": sum(p.numel() for p in module.generator.parameters()),
        "parameters_discriminator": sum(p.numel() for p in module.discriminator.parameters()),
        "batch": config.training.batch,
        "processes": chance.share().world,
        "r1_gamma": config.training.gamma(job.size),
        "start": config.start,
        "device": name if fresh else "none: already trained",
        "rollbacks": len(job.troubles),
        "troubles": job.troubles,
        **memory_used(plan),
        **watch.figures,
    }
    notes = {"kimg": summary["kimg"], "faces": len(job.faces), "start": config.start, "training": config.identity()}
    weights = pack(module, config.network, notes)
    if watch.best is not None:
        summary |= {"distance_best": watch.best[1], "best_kimg": watch.best[0], "distance_last": watch.curve[-1][1]}
        if watch.best[1] < watch.curve[-1][1]:
            best = keep.load_best(job.folder)
            weights = Weights(best.kind, best.arguments, best.tensors, {**notes, **best.notes})
    if config.training.augment != "none":
        summary["leak"] = _leak(job, weights, landmarks)
    return TrainResult(weights, summary, watch.draw(load_generator(weights)))


def _leak(job: Job, weights: Weights, landmarks: np.ndarray) -> dict[str, Any]:
    """Look for the augmentations in drawn faces, and say so."""
    drawn = draw(load_generator(weights), range(LEAK_FACES))
    figures = leak_figures(drawn, job.faces.sample(LEAK_FACES), landmarks)
    if figures["shows"]:
        logger.warning(
            "The drawn faces differ from the filmed ones in %s, as augmented ones do: train longer, or lower "
            "'gan_training.training.ada_max', or set 'augment: none'.",
            ", ".join(figures["shows"]),
        )
    return figures
