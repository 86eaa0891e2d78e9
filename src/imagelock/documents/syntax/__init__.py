"""The few syntaxes that documents are written in, each read into nodes that know their bytes."""
