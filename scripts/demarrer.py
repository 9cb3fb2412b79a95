# -*- coding: utf-8 -*-  # noqa: UP009 — un Python trop ancien doit pouvoir lire ce fichier
"""Installer le programme et l'ouvrir sur le territoire de démonstration.

Seule la bibliothèque standard est utilisée, et la syntaxe reste celle des vieux Python jusqu'à la
vérification de la version : c'est elle qui doit répondre, pas une erreur de syntaxe.

    python scripts/demarrer.py                        tout installer, préparer, ouvrir
    python scripts/demarrer.py --preparer-seulement   s'arrêter avant le visualiseur
"""

import sys

VERSION_MINIMALE = (3, 11)
#: Première version pour laquelle les dépendances verrouillées n'existent pas encore.
VERSION_EXCLUE = (3, 15)


def python_convient():
    """Dire si cet interpréteur convient, et sinon lequel il faut."""
    if VERSION_MINIMALE <= sys.version_info[:2] < VERSION_EXCLUE:
        return True
    sys.stderr.write(
        "Demi-heure demande Python {}.{} ou plus récent, avant {}.{} ; celui-ci est {}.{}.\n"
        "Installez-le (python.org, ou le gestionnaire de paquets du système), puis relancez, par "
        "exemple : python3.11 scripts/demarrer.py\n".format(
            *(VERSION_MINIMALE + VERSION_EXCLUE + sys.version_info[:2])
        )
    )
    return False


if __name__ == "__main__":
    if not python_convient():
        sys.exit(1)
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from scripts.demarrage import principal

    sys.exit(principal())
