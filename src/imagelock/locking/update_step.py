"""The step of an update: carries out the decision about one image, and reports it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from imagelock.errors import ImageNotFoundError
from imagelock.images_file.declaration import ImageDeclaration
from imagelock.locking.decision import Action, Decision, decide_update
from imagelock.locking.keep_step import KeepLocked, StepResult
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.resolve import is_served
from imagelock.locking.source import ManifestSource
from imagelock.locking.steps import (
    AddPlatforms,
    CompareWithIndex,
    LockRequested,
    Repair,
    Resolve,
    locked_reference,
    told_move,
    way_out,
)
from imagelock.model.frozen import frozen


@frozen
class Update:
    """Carry out what ``decide_update`` decides for a locked image."""

    smallest_step: KeepLocked | Repair | AddPlatforms
    """The step to run if nothing has moved."""
    takes_every_index: bool
    now: datetime

    @property
    def declaration(self) -> ImageDeclaration:
        """The declaration of the image."""
        return self.smallest_step.declaration

    def run(self, source: ManifestSource) -> StepResult:
        """Decide, with one HEAD request if nothing moved, and return the new entry; raise the decision's failure."""
        locked = self.smallest_step.locked
        decision = decide_update(self.declaration, locked, source, now=self.now)
        notes = _decision_notes(decision, locked)
        if decision.failure is not None:
            raise decision.failure
        if decision.taken is not None and decision.action is Action.TAKE:
            warnings = _downgrade(decision, locked, decision.taken)
            return told_move(locked, decision.taken, source, notes=notes, warnings=warnings)
        if decision.taken is not None:
            return self._take_index(decision.taken, source, notes)
        unmoved = self._run_smallest_step(source)
        return replace(unmoved, notes=(*notes, *unmoved.notes))

    def _take_index(self, taken: LockedImage, source: ManifestSource, notes: tuple[str, ...]) -> StepResult:
        """Take an index that moved without the declared platforms, if that is asked for or the locked one is gone."""
        locked = self.smallest_step.locked
        if self.takes_every_index:
            return told_move(locked, taken, source, notes=notes)
        if is_served(locked_reference(locked), source):
            # Without checksum, or after a merge, an entry may mix two indexes.
            read = self._run_smallest_step(source).image if isinstance(self.smallest_step, Repair) else locked
            if read is not locked and read.platform_digests != taken.platform_digests:
                return told_move(locked, taken, source, notes=notes)
            kept = replace(taken, digest=locked.digest, labels=read.labels)
            note = "index re-pushed, your platforms are unchanged (use --index to take it)"
            return StepResult(kept, (*notes, note))
        return StepResult(taken, (*notes, "index re-pushed, and the locked one is no longer served: taken"))

    def _run_smallest_step(self, source: ManifestSource) -> StepResult:
        match self.smallest_step:
            case KeepLocked():
                return self.smallest_step.run()
            case Repair() | AddPlatforms():
                return self._without_own_hint(self.smallest_step, source)

    def _without_own_hint(self, step: Repair | AddPlatforms, source: ManifestSource) -> StepResult:
        """Run a step; replace a hint that advises the command that is running."""
        try:
            return step.run(source)
        except ImageNotFoundError as error:
            own = way_out(self.declaration)
            other = f"change `platforms` of `{self.declaration.alias}` in images.toml"
            hint = other if error.hint == own else error.hint
            raise ImageNotFoundError(error.message, details=error.details, hint=hint) from error


def _decision_notes(decision: Decision, locked: LockedImage) -> tuple[str, ...]:
    too_young = tuple(f"{it}: passed over" for it in decision.too_young)
    found = decision.other_tag or decision.locked_tag
    if decision.taken is not None and found is not None and found.resolved is not None:
        too_young = (*too_young, *found.resolved.notes)
    unlisted = f"the registry's list of tags lacks {locked.tag}, which it still serves: kept"
    return (*too_young, unlisted) if decision.is_unlisted and decision.action is Action.KEEP else too_young


def _downgrade(decision: Decision, locked: LockedImage, taken: LockedImage) -> tuple[str, ...]:
    if not decision.is_downgrade:
        return ()
    way = f"`imagelock update {locked.alias} --to {locked.tag}@{locked.digest}` goes back, `freeze` keeps it"
    return (f"downgrade from {locked.tag} to {taken.tag}: the registry no longer has {locked.tag} ({way})",)


OnlineStep = Repair | CompareWithIndex | AddPlatforms | Resolve | Update | LockRequested
Step = KeepLocked | OnlineStep
