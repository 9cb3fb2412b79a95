"""Commandes qui fabriquent un territoire : ``demo``, ``verifier``, ``preparer``."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from donnees_geo.erreurs import Constat, Gravite
from scripts.commandes.affichage import composer_tableau, progression
from scripts.commandes.analyse import ajouter_parametres


def declarer(commandes: Any) -> None:
    """Ajouter les trois commandes à l'analyseur."""
    demo = commandes.add_parser(
        "demo",
        help="écrire le territoire fictif de démonstration",
        description="Écrit les fichiers sources d'une agglomération fictive, dans les formats des "
        "données ouvertes, et leur manifeste territoire.toml.",
    )
    demo.add_argument("--sortie", required=True, type=Path, metavar="DOSSIER", help="où écrire")
    demo.add_argument(
        "--taille",
        choices=("normale", "petite"),
        default="normale",
        help="normale : 100 communes ; petite : le quart (normale par défaut)",
    )
    demo.add_argument(
        "--remplacer", action="store_true", help="remplacer un dossier qui n'est pas vide"
    )
    demo.set_defaults(executer=executer_demo)

    verifier = commandes.add_parser(
        "verifier",
        help="vérifier les sources d'un manifeste",
        description="Lit toutes les sources d'un manifeste et dit ce qui ne va pas, du plus grave "
        "au moins grave. Rend 1 s'il y a un constat bloquant.",
    )
    verifier.add_argument("manifeste", type=Path, metavar="MANIFESTE", help="fichier .toml")
    verifier.set_defaults(executer=executer_verifier)

    preparer = commandes.add_parser(
        "preparer",
        help="préparer un territoire",
        description="Lit, vérifie et harmonise les sources d'un manifeste, et écrit le territoire "
        "préparé. Ne refait rien si les sources et les hypothèses n'ont pas changé.",
    )
    preparer.add_argument("manifeste", type=Path, metavar="MANIFESTE", help="fichier .toml")
    preparer.add_argument("--sortie", required=True, type=Path, metavar="DOSSIER", help="où écrire")
    ajouter_parametres(preparer)
    preparer.set_defaults(executer=executer_preparer)


def executer_demo(options: argparse.Namespace) -> int:
    """Écrire le territoire fictif."""
    from donnees_geo.demo import ecrire_demo

    with progression("Territoire fictif", montrer=options.montrer) as avancer:
        manifeste = ecrire_demo(
            options.sortie,
            taille=options.taille,
            remplacer=options.remplacer,
            progression=avancer,
        )
    ecrit = options.sortie / manifeste.name  # tel que demandé : la commande se recopie
    print(f"Territoire fictif écrit : {ecrit}")
    print(f"Pour le préparer : demi-heure preparer {ecrit} --sortie DOSSIER")
    return 0


def executer_verifier(options: argparse.Namespace) -> int:
    """Montrer les constats ; 1 si l'un d'eux bloque."""
    from donnees_geo.configuration import lire_manifeste
    from donnees_geo.territoire import verifier_territoire

    # Un fichier absent est un constat comme les autres : ils sont tous dits.
    manifeste = lire_manifeste(options.manifeste, exiger_fichiers=False)
    with progression("Vérification", montrer=options.montrer) as avancer:
        constats = verifier_territoire(manifeste, progression=avancer)
    print(f"{manifeste.nom} — {options.manifeste}")
    montrer_constats(constats)
    return int(any(constat.gravite is Gravite.BLOQUANT for constat in constats))


def montrer_constats(constats: Sequence[Constat]) -> None:
    """Écrire le tableau des constats, du plus grave au moins grave, et leur décompte."""
    ordre = list(Gravite)
    tries = sorted(constats, key=lambda constat: ordre.index(constat.gravite))
    if tries:
        print(
            composer_tableau(
                ("gravité", "objet", "constat"),
                [(c.gravite.value, c.objet, c.message) for c in tries],
            )
        )
    decompte = Counter(constat.gravite for constat in constats)
    print(", ".join(f"{decompte[g]} {g.value}{'s' * (decompte[g] > 1)}" for g in ordre) + ".")


def executer_preparer(options: argparse.Namespace) -> int:
    """Préparer un territoire."""
    from donnees_geo.configuration import lire_manifeste, lire_parametres
    from donnees_geo.territoire import preparer_territoire

    manifeste = lire_manifeste(options.manifeste)
    parametres = lire_parametres(options.parametres)
    with progression("Préparation", montrer=options.montrer) as avancer:
        bilan = preparer_territoire(
            manifeste, options.sortie, progression=avancer, parametres=parametres
        )
    print(bilan)
    return 0
