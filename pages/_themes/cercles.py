"""Cartes de cercles proportionnels, un par commune : le geste commun à quatre vues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from couches.couche import EntreeLegende
from couches.ecran.petit_fond import Calque, Entite, noms_des_cercles
from couches.ecran.petite_carte import (
    assembler,
    calque_cercles,
    legende_cercles,
    tailles_cercles,
)
from pages._commun.partage import Partage
from pages._themes import donnees, ecran
from pages._themes.reglages import ReglagesPage

COMMUNE = "commune"


@dataclass(frozen=True)
class Cercles:
    """Un cercle par commune.

    Attributes
    ----------
    codes
        Codes des communes.
    valeurs
        float64[n], ce que dit la surface.
    couleurs
        Couleur de chacun.
    textes
        Intitulé de la bulle → texte de chacun.
    taille, unite
        Ce que dit la taille, et son unité, pour la légende.
    """

    codes: Sequence[str]
    valeurs: NDArray[np.float64]
    couleurs: Sequence[str]
    textes: Mapping[str, Sequence[str]]
    taille: str
    unite: str


def composer_cercles(partage: Partage, cercles: Cercles, choisie: str) -> list[Entite]:
    """Entités de la carte, dans l'ordre des communes données."""
    centres = donnees.centres(partage)
    champs = list(cercles.textes.values())
    return [
        {
            "code": code,
            "x": centres[code][0],
            "y": centres[code][1],
            "commune": partage.noms_communes[code],
            "taille": taille,
            "couleur": cercles.couleurs[rang],
            "choisie": code == choisie,
            **{f"texte_{n}": champ[rang] for n, champ in enumerate(champs)},
        }
        for rang, (code, taille) in enumerate(
            zip(cercles.codes, tailles_cercles(cercles.valeurs).tolist(), strict=True)
        )
    ]


def montrer_cercles(
    partage: Partage,
    reglages: ReglagesPage,
    cercles: Cercles,
    description: str,
    legendes: Sequence[tuple[str, Sequence[EntreeLegende]]],
    *,
    cle_carte: str,
    dessous: Sequence[Calque] = (),
    dessus: Sequence[Calque] = (),
) -> None:
    """Carte de cercles ; un clic choisit la commune (réglage :data:`COMMUNE`).

    Parameters
    ----------
    description
        Ce que montre la carte, en une phrase.
    legendes
        Intitulé et entrées de chaque légende, après celle des tailles.
    cle_carte
        Clé de session de la carte.
    dessous, dessus
        Calques sous et sur les cercles.
    """
    entites = composer_cercles(partage, cercles, str(reglages[COMMUNE]))
    bulle = {"commune": "commune"} | {f"texte_{n}": t for n, t in enumerate(cercles.textes)}
    fond = donnees.fond(partage)
    carte = assembler(
        fond,
        [*dessous, calque_cercles(entites, bulle), *dessus],
        description,
        noms=noms_des_cercles(entites, "commune", fond),
    )
    rayons = legende_cercles(float(cercles.valeurs.max(initial=0)), cercles.unite)
    ecran.montrer_carte(
        carte,
        [
            ecran.legende_tailles(cercles.taille, rayons),
            *(ecran.legende_signes(titre, entrees) for titre, entrees in legendes),
        ],
        cle_carte=cle_carte,
        choisir=lambda code: reglages.poser(COMMUNE, code),
    )
