"""Classes de couleur des cartes thématiques : parts, et grandeurs quelconques."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from couches.couche import EntreeLegende
from couches.textes import nombre, part

#: Bornes hautes des classes de parts, incluses, et leur texte.
BORNES_PARTS: Final = (0.1, 0.25, 0.5, 0.75, 1.0)
TEXTES_PARTS: Final = ("10 % et moins", "10 à 25 %", "25 à 50 %", "50 à 75 %", "plus de 75 %")
#: Du plus clair (peu) au plus foncé (beaucoup), lisible en gris ; la même rampe que les carences.
COULEURS_PARTS: Final = ("#edf2f7", "#bcd3e6", "#7fabd0", "#3a7ab1", "#0b4a82")
#: La même échelle pour ce qui manque, lisible sur le bleu et le rouge des zones inondables.
COULEURS_MANQUE: Final = ("#f4eef7", "#cdb4dc", "#a577c0", "#7a3d99", "#4b1a66")
COULEUR_SANS: Final = "#d8d4cb"
SANS: Final = "sans donnée"


def couleur_part(valeur: float, couleurs: tuple[str, ...] = COULEURS_PARTS) -> str:
    """Couleur d'une part ; celle de « sans donnée » si elle n'est pas connue."""
    return couleur_classe(valeur, BORNES_PARTS, couleurs)


def legende_parts(
    couleurs: tuple[str, ...] = COULEURS_PARTS, *, sans: bool = False
) -> list[EntreeLegende]:
    """Légende des parts ; ``sans`` ajoute l'absence de donnée."""
    entrees = [EntreeLegende(c, t) for c, t in zip(couleurs, TEXTES_PARTS, strict=True)]
    return [*entrees, EntreeLegende(COULEUR_SANS, SANS)] if sans else entrees


def dire_parts(habitants: pd.Series[float], parts: pd.Series[float]) -> list[str]:
    """« 1 234 (56 %) » de chaque ligne."""
    paires = zip(habitants.tolist(), parts.tolist(), strict=True)
    return [f"{nombre(h)} ({part(p, 0)})" for h, p in paires]


def borner(valeurs: NDArray[np.float64], decimales: int) -> tuple[float, ...]:
    """Bornes hautes de cinq classes d'effectifs voisins, arrondies ; moins si certaines coïncident.

    Examples
    --------
    >>> borner(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 1)
    (1.8, 2.6, 3.4, 4.2, 5.0)
    >>> borner(np.array([2.0, 2.0, np.nan]), 0)
    (2.0,)
    """
    connues = valeurs[np.isfinite(valeurs)]
    if not connues.size:
        return ()
    bornes = np.quantile(connues, np.arange(1, len(COULEURS_PARTS) + 1) / len(COULEURS_PARTS))
    pas = 10.0**-decimales
    # La dernière borne est arrondie vers le haut : le maximum y entre.
    hautes = [*np.round(bornes[:-1], decimales), np.ceil(bornes[-1] / pas - 1e-9) * pas]
    return tuple(sorted({round(float(b), decimales) for b in hautes}))


def couleur_classe(
    valeur: float, bornes: tuple[float, ...], couleurs: tuple[str, ...] = COULEURS_PARTS
) -> str:
    """Couleur d'une valeur d'après ses bornes hautes incluses."""
    if not np.isfinite(valeur) or not bornes:
        return COULEUR_SANS
    rang = min(int(np.searchsorted(bornes, valeur - 1e-9, side="left")), len(bornes) - 1)
    return couleurs[rang]


def legende_bornes(bornes: tuple[float, ...], decimales: int) -> list[EntreeLegende]:
    """Légende de classes données par leurs bornes hautes ; la dernière peut être infinie.

    Examples
    --------
    >>> [e.texte for e in legende_bornes((1.5, 3.0), 1)]
    ['jusqu’à 1,5', '1,5 à 3,0']
    >>> legende_bornes((5.0, np.inf), 0)[1].texte
    'plus de 5'
    """
    entrees = []
    for rang, borne in enumerate(bornes):
        bas = nombre(bornes[rang - 1], decimales) if rang else ""
        if np.isinf(borne):
            texte = f"plus de {bas}"
        else:
            haut = nombre(borne, decimales)
            texte = f"{bas} à {haut}" if rang else f"jusqu’à {haut}"
        entrees.append(EntreeLegende(COULEURS_PARTS[rang], texte))
    return entrees
