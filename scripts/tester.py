# -*- coding: utf-8 -*-  # noqa: UP009 — un Python trop ancien doit pouvoir lire ce fichier
"""Installer les outils d'essai et vérifier tout le projet : style, types, essais.

    python scripts/tester.py                    tout vérifier
    python scripts/tester.py tests/scripts -k x  n'essayer que cela (arguments rendus à pytest)

Comme ``demarrer.py``, ce fichier reste lisible par un Python trop ancien.
"""

import sys

if __name__ == "__main__":
    from os.path import abspath, dirname  # pathlib manque aux plus vieux Python

    sys.path.insert(0, dirname(dirname(abspath(__file__))))  # noqa: PTH100, PTH120
    from scripts.demarrer import python_convient

    if not python_convient():
        sys.exit(1)
    from scripts.verification import principal

    sys.exit(principal(sys.argv[1:]))
