# SPDX-License-Identifier: Apache-2.0
"""The Python side of leat: what a run starts to work on its Python stages."""

__version__ = "0.1.0"
