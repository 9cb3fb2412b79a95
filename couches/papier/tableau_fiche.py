"""Tableau des services qui manquent, au bas d'une fiche."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from couches.papier.fiche_manques import LigneCarence
from couches.papier.page import ENCRE, GRIS, Page
from couches.tables_export import majuscule

_LIGNES: Final = 9
_HAUT: Final = 227.0
_PAS: Final = 4.35
_RETRAIT: Final = 1.2
#: Colonnes du tableau : titre, bord gauche, largeur (mm), alignée à droite.
_COLONNES: Final = (
    ("Service", 13.2, 43.0, False),
    ("Palier et seuil", 56.0, 32.0, False),
    ("Habitants", 89.0, 15.5, True),
    ("Part", 105.5, 11.5, True),
    ("Temps médian", 117.5, 23.0, True),
    ("Le plus proche", 145.0, 52.0, False),
)


def dessiner_tableau(
    page: Page, carences: Sequence[LigneCarence], gauche: float, droite: float, unite: str
) -> None:
    """Titre, lignes les plus lourdes, puis noms des autres services.

    Parameters
    ----------
    page
        Page.
    carences
        Lignes, de la plus à la moins lourde.
    gauche, droite
        Bords du tableau, mm de l'A4.
    unite
        « habitants », ou « surface » faute de population : les habitants ne sont alors pas comptés.
    """
    par_population = unite == "habitants"
    page.filet(gauche, _HAUT - 4.6, droite, _HAUT - 4.6, ENCRE, 1.2)
    total = len(carences)
    titre = (
        "Aucun service ne manque sous le seuil de son palier"
        if total == 0
        else "Services hors de portée d’une partie "
        f"{'des habitants' if par_population else 'de la surface'} ({total})"
    )
    page.texte(gauche, _HAUT, titre, 10.0, graisse=600)
    if total == 0:
        return
    y = _HAUT + 5.0
    noms = [nom for nom, *_ in _COLONNES]
    if not par_population:
        noms[2] = ""
    _ecrire_ligne(page, y, noms, GRIS)
    montrees = carences[: _LIGNES - (total > _LIGNES)]
    for rang, ligne in enumerate(montrees):
        y += _PAS
        if rang % 2 == 0:
            page.rectangle(gauche, y - 3.2, droite - gauche, _PAS, fond="#f4f1ea")
        _ecrire_ligne(
            page,
            y,
            [
                majuscule(ligne.service),
                ligne.palier,
                ligne.concernes if par_population else "",
                ligne.part,
                ligne.temps,
                _choisir(page, ligne.proches, _COLONNES[-1][2]),
            ],
            ENCRE,
        )
    reste = [ligne.service for ligne in carences[len(montrees) :]]
    if reste:
        x = gauche + _RETRAIT
        (suite,) = page.enumerer("Et aussi\u00a0: ", reste, droite - _RETRAIT - x)
        page.texte(x, y + 4.6, suite, 8.5)


def _ecrire_ligne(page: Page, y: float, valeurs: Sequence[str], couleur: str) -> None:
    for (_, x, largeur, droite), valeur in zip(_COLONNES, valeurs, strict=True):
        page.texte(
            x + largeur if droite else x,
            y,
            page.raccourcir(valeur, largeur, 8.5),
            8.5,
            couleur=couleur,
            alignement="right" if droite else "left",
        )


def _choisir(page: Page, formes: Sequence[str], largeur: float) -> str:
    """Première forme qui tient, à défaut la dernière."""
    return next((f for f in formes if page.largeur(f, 8.5) <= largeur), formes[-1])
