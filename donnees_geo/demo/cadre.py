"""Cadre du territoire fictif : emprise, graine, grilles et bruit spatial.

Le territoire est posé en mer, à plus de cent kilomètres des côtes : aucune donnée simulée ne peut
ainsi recouvrir un lieu réel, alors que les coordonnées restent valides en Lambert-93.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from donnees_geo.erreurs import ErreurConfiguration

Taille = Literal["normale", "petite"]
Flottants = NDArray[np.float64]
Entiers = NDArray[np.int64]
Booleens = NDArray[np.bool_]

CRS_DEMO: Final = "EPSG:2154"
#: Centre du territoire, mètres Lambert-93 (golfe de Gascogne, environ 3,5° O, 45,5° N).
CENTRE_M: Final = (195_000.0, 6_505_000.0)
#: Graine par défaut : celle du territoire documenté.
GRAINE: Final = 2026
#: Le département « 00 » n'existe pas : aucun code fictif ne désigne une commune réelle.
DEPARTEMENT: Final = "00"


@dataclass(frozen=True)
class Cadre:
    """Dimensions et effectifs visés du territoire.

    Attributes
    ----------
    taille, graine
        Variante et graine du générateur.
    facteur
        Part des effectifs de la variante normale (1 ou 0,25).
    largeur_m, hauteur_m
        Dimensions du territoire, en mètres.
    marge_m
        Bande extérieure où le réseau et les services continuent, en mètres.
    pas_m
        Pas des grilles internes, en mètres.
    """

    taille: Taille
    graine: int
    facteur: float
    largeur_m: float
    hauteur_m: float
    marge_m: float
    pas_m: float = 50.0

    @property
    def ouest(self) -> float:
        """Abscisse du bord ouest de l'emprise générée."""
        return CENTRE_M[0] - self.largeur_m / 2 - self.marge_m

    @property
    def sud(self) -> float:
        """Ordonnée du bord sud de l'emprise générée."""
        return CENTRE_M[1] - self.hauteur_m / 2 - self.marge_m

    @property
    def est(self) -> float:
        """Abscisse du bord est de l'emprise générée."""
        return CENTRE_M[0] + self.largeur_m / 2 + self.marge_m

    @property
    def nord(self) -> float:
        """Ordonnée du bord nord de l'emprise générée."""
        return CENTRE_M[1] + self.hauteur_m / 2 + self.marge_m

    @property
    def forme(self) -> tuple[int, int]:
        """Nombre de lignes (sud → nord) et de colonnes (ouest → est) des grilles."""
        return (
            round((self.nord - self.sud) / self.pas_m),
            round((self.est - self.ouest) / self.pas_m),
        )

    def hasard(self, theme: int) -> np.random.Generator:
        """Générateur propre à un thème : en changer un ne bouscule pas les autres."""
        return np.random.default_rng([self.graine, theme])

    def part(self, effectif: float) -> int:
        """Effectif de la variante, à partir de celui de la taille normale."""
        return max(1, round(effectif * self.facteur))

    def centres_cellules(self) -> tuple[Flottants, Flottants]:
        """Abscisses (colonnes) et ordonnées (lignes) des centres de cellules."""
        lignes, colonnes = self.forme
        x = self.ouest + (np.arange(colonnes) + 0.5) * self.pas_m
        y = self.sud + (np.arange(lignes) + 0.5) * self.pas_m
        return x.astype(np.float64), y.astype(np.float64)

    def echantillonner(self, champ: NDArray[np.generic], x: Flottants, y: Flottants) -> Flottants:
        """Valeur bilinéaire d'un champ (ligne 0 au sud) aux points donnés."""
        lignes = (np.asarray(y) - self.sud) / self.pas_m - 0.5
        colonnes = (np.asarray(x) - self.ouest) / self.pas_m - 0.5
        valeurs: Flottants = ndimage.map_coordinates(
            np.asarray(champ, dtype=np.float64), [lignes, colonnes], order=1, mode="nearest"
        )
        return valeurs

    def cellules(self, x: Flottants, y: Flottants) -> tuple[Entiers, Entiers]:
        """Ligne et colonne de la cellule de chaque point, ramenées dans la grille."""
        lignes, colonnes = self.forme
        ligne = np.clip((np.asarray(y) - self.sud) // self.pas_m, 0, lignes - 1)
        colonne = np.clip((np.asarray(x) - self.ouest) // self.pas_m, 0, colonnes - 1)
        return ligne.astype(np.int64), colonne.astype(np.int64)

    def contient(self, x: Flottants, y: Flottants, retrait_m: float = 0.0) -> Booleens:
        """Points à l'intérieur de l'emprise générée, diminuée d'un retrait."""
        dedans: Booleens = (
            (x > self.ouest + retrait_m)
            & (x < self.est - retrait_m)
            & (y > self.sud + retrait_m)
            & (y < self.nord - retrait_m)
        )
        return dedans


def construire_cadre(taille: str, graine: int) -> Cadre:
    """Cadre de la variante demandée.

    Raises
    ------
    ErreurConfiguration
        Taille inconnue.
    """
    if taille == "normale":
        return Cadre("normale", graine, 1.0, 26_000.0, 25_000.0, 5_000.0)
    if taille == "petite":
        return Cadre("petite", graine, 0.25, 13_000.0, 12_500.0, 3_000.0)
    raise ErreurConfiguration(
        "Taille du territoire fictif inconnue.",
        objet="taille",
        attendu="« normale » ou « petite »",
        trouve=taille,
    )


def bruit(
    forme: tuple[int, int], longueur: float, hasard: np.random.Generator, octaves: int = 1
) -> Flottants:
    """Champ aléatoire lisse, centré, d'écart type proche de 1.

    Parameters
    ----------
    forme
        Lignes et colonnes du champ.
    longueur
        Longueur d'onde, en cellules.
    octaves
        Nombre d'échelles superposées, chacune deux fois plus fine et deux fois plus faible.
    """
    total = np.zeros(forme)
    for octave in range(octaves):
        pas = max(longueur / 2**octave, 1.0)
        grossier = hasard.standard_normal((int(forme[0] / pas) + 4, int(forme[1] / pas) + 4))
        lignes = np.linspace(1.0, 1.0 + forme[0] / pas, forme[0])
        colonnes = np.linspace(1.0, 1.0 + forme[1] / pas, forme[1])
        grille = np.meshgrid(lignes, colonnes, indexing="ij")
        total += ndimage.map_coordinates(grossier, grille, order=3, mode="nearest") / 2**octave
    ecart = float(total.std())
    return np.asarray((total - total.mean()) / (ecart if ecart > 0 else 1.0))


def plus_proches(
    points: Flottants, requete: Flottants, portee_m: float = np.inf
) -> tuple[Flottants, Entiers]:
    """Distance (m) et rang du point le plus proche de chaque position demandée.

    Au-delà de ``portee_m``, la distance est infinie et le rang vaut ``len(points)``.
    """
    distances, rangs = cKDTree(points).query(requete, distance_upper_bound=portee_m)
    return np.asarray(distances, dtype=np.float64), np.asarray(rangs, dtype=np.int64)


def lisser_ligne(points: Flottants, sigma: float) -> Flottants:
    """Lisser une ligne en gardant ses extrémités.

    Parameters
    ----------
    points
        float64[n, 2], mètres.
    sigma
        Écart type du lissage, en sommets.
    """
    if len(points) < 4:
        return points
    # Le prolongement symétrique par rapport à chaque extrémité les laisse en place.
    marge = min(len(points) - 1, int(4 * sigma) + 1)
    avant = 2 * points[0] - points[marge:0:-1]
    apres = 2 * points[-1] - points[-2 : -marge - 2 : -1]
    etendu = np.vstack([avant, points, apres])
    lisse = ndimage.gaussian_filter1d(etendu, sigma, axis=0)[marge : marge + len(points)]
    lisse[0], lisse[-1] = points[0], points[-1]
    return lisse


def reechantillonner(points: Flottants, pas_m: float) -> Flottants:
    """Sommets espacés d'environ ``pas_m`` le long d'une ligne, extrémités comprises."""
    cumul = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    nombre = max(2, round(cumul[-1] / pas_m) + 1)
    distances = np.linspace(0.0, cumul[-1], nombre)
    return np.column_stack(
        [np.interp(distances, cumul, points[:, 0]), np.interp(distances, cumul, points[:, 1])]
    )
