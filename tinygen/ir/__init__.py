"""The intermediate representation: typed, immutable, a flat list of operators in execution order, static shapes."""
