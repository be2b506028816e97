"""Weights in the order the row kernels read them; the layouts are drawn in templates/c/kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.int8]


def pad_to(array: Weights, axis: int, multiple: int) -> Weights:
    """Zeros at the end of an axis until its length is a multiple."""
    width = [(0, 0)] * array.ndim
    width[axis] = (0, -array.shape[axis] % multiple)
    return np.pad(array, width)


def interleave(filters: Weights, group: int) -> Weights:
    """[filters, depth] as [filters / group][depth / 4][group][4]; both dimensions must divide."""
    count, depth = filters.shape
    return filters.reshape(count // group, group, depth // 4, 4).transpose(0, 2, 1, 3).reshape(-1)


def pack_runs(filters: Weights) -> Weights:
    """[filters, runs, run bytes] as [filter pairs][depth / 4][2][4], each run padded to a multiple of four."""
    padded = pad_to(pad_to(filters, 2, 4), 0, 2)
    return interleave(padded.reshape(len(padded), -1), 2)


def pack_vectors(filters: Weights) -> Weights:
    """[filters, depth] four filters at a time, then those left one by one; depth padded to a multiple of four."""
    padded = pad_to(filters, 1, 4)
    whole = len(padded) // 4 * 4
    return np.concatenate([interleave(padded[:whole], 4), padded[whole:].reshape(-1)])


def pack_channels(filters: Weights) -> Weights:
    """[channels, taps] as [channels / 4][taps][4 channels]; channels must divide."""
    count, taps = filters.shape
    return filters.reshape(count // 4, 4, taps).transpose(0, 2, 1).reshape(-1)


def pack_mve(filters: Weights) -> Weights:
    """[filters, depth] four filters at a time: [4][the last 1 to 16 taps], then backwards [depth / 16][4][16].

    Filters that are left follow one by one, and then zeros, so that a filter may be read in whole vectors of 16.
    """
    count, depth = filters.shape
    whole = count // 4 * 4
    groups = [
        group[:, at : at + 16].reshape(-1)
        for group in filters[:whole].reshape(-1, 4, depth)
        for at in reversed(range(0, depth, 16))
    ]
    return np.concatenate([*groups, filters[whole:].reshape(-1), np.zeros(-depth % 16, np.int8)])
