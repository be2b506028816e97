"""The oracle of every operator test: LiteRT with its reference kernels (OpResolverType.BUILTIN_REF)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from tests.requirement import require


def litert_outputs(
    model: bytes, samples: Sequence[Sequence[np.ndarray]], resets: Collection[int] = ()
) -> list[tuple[np.ndarray, ...]]:
    """What LiteRT BUILTIN_REF computes for each sample, a sample being an array for each input of the model.

    Before the samples in `resets` it forgets its state, else it goes on from the one before. Skips the test where
    LiteRT is not installed (tests/requirement.py).
    """
    require("litert")
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model, num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    results = []
    for number, sample in enumerate(samples):
        if number in resets:
            interpreter.reset_all_variables()
        for detail, value in zip(inputs, sample, strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        results.append(tuple(interpreter.get_tensor(detail["index"]).copy() for detail in outputs))
    return results
