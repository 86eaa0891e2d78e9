"""One image as it is written into images.toml: a line under ``[images]``, or a table of its own."""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.images_file.declaration import Alias
from imagelock.images_file.toml_text import array, quote
from imagelock.model.frozen import frozen


@frozen(kw_only=True)
class ImageEntry:
    """What images.toml is to say of one image, in the words that are to stand there."""

    alias: Alias
    image: str
    version: str | None = None
    variant: str | None = None
    tag: str | None = None
    platforms: tuple[str, ...] = ()

    @property
    def is_short(self) -> bool:
        """Whether ``name = "reference"`` says it all."""
        return len(self.fields()) == 1

    def fields(self) -> dict[str, str | list[str]]:
        """Give the keys of the long form that are needed, as a TOML parser reads them."""
        texts = {"image": self.image, "version": self.version, "variant": self.variant, "tag": self.tag}
        fields: dict[str, str | list[str]] = {key: text for key, text in texts.items() if text is not None}
        return fields | ({"platforms": list(self.platforms)} if self.platforms else {})

    def value(self) -> str | dict[str, str | list[str]]:
        """Give what a TOML parser reads."""
        return self.image if self.is_short else self.fields()

    def short_line(self) -> str:
        """Write the short form."""
        return f"{self.alias} = {quote(self.image)}"

    def table_lines(self) -> Iterator[str]:
        """Write the long form."""
        yield f"[images.{self.alias}]"
        for name, value in self.fields().items():
            yield f"{name} = {quote(value) if isinstance(value, str) else array(value)}"

    def __str__(self) -> str:
        """Write it on one line, for messages."""
        if self.is_short:
            return self.short_line()
        header, *fields = self.table_lines()
        return f"{header} {', '.join(fields)}"
