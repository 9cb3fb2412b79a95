"""Graphes orientés compacts, un par mode, construits sur le réseau de rues commun.

Un graphe est un jeu de tableaux au format CSR, dans les deux sens : l'avant pour partir d'un point,
l'inverse pour aller vers un service. Il porte aussi l'index spatial qui rattache les points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from accessibilite.rues.index_spatial import IndexTroncons, construire_index
from accessibilite.rues.profils import Profil, calculer_temps_troncons
from donnees_geo.conventions import Sens
from donnees_geo.erreurs import ErreurReseau
from donnees_geo.reseau import ReseauRues

#: Un arc : cible et temps se lisent ensemble, ils sont donc voisins en mémoire.
ARC: Final = np.dtype([("cible", np.int32), ("temps_s", np.float32)])


class Arcs(NamedTuple):
    """Arcs d'un graphe au format CSR.

    Attributes
    ----------
    debut
        int32[n+1] : les arcs du noeud ``i`` sont ``debut[i]`` à ``debut[i+1]`` (exclu).
    arcs
        :data:`ARC`[a] : noeud atteint, et secondes (finies, positives ou nulles).
    pas_s
        Largeur des seaux d'une recherche, secondes : une fraction de l'arc ordinaire.
    """

    debut: NDArray[np.int32]
    arcs: NDArray[np.void]
    pas_s: float

    @property
    def cible(self) -> NDArray[np.int32]:
        """int32[a], noeud atteint."""
        cible: NDArray[np.int32] = self.arcs["cible"]
        return cible

    @property
    def temps_s(self) -> NDArray[np.float32]:
        """float32[a], secondes."""
        temps: NDArray[np.float32] = self.arcs["temps_s"]
        return temps


@dataclass(frozen=True)
class Graphe:
    """Graphe orienté d'un mode de rue.

    Attributes
    ----------
    reseau
        Réseau de rues dont il est tiré.
    profil
        Mode, vitesses et hypothèses.
    aller_s, retour_s
        float64[m], temps de chaque tronçon du réseau dans les deux sens ; ``inf`` si interdit.
    raccordable
        bool[m], tronçons auxquels un point peut être rattaché : praticables, et dans un morceau de
        réseau d'au moins ``composante_min_noeuds`` noeuds mutuellement accessibles.
    avant, inverse
        Arcs dans le sens du déplacement, et retournés.
    morceaux_isoles, noeuds_isoles
        Nombre de petits morceaux écartés du rattachement, et de leurs noeuds.
    """

    reseau: ReseauRues
    profil: Profil
    aller_s: NDArray[np.float64]
    retour_s: NDArray[np.float64]
    raccordable: NDArray[np.bool_]
    avant: Arcs
    inverse: Arcs
    morceaux_isoles: int
    noeuds_isoles: int

    @property
    def nombre_noeuds(self) -> int:
        """Nombre de noeuds du réseau (tous modes confondus)."""
        return self.reseau.nombre_noeuds

    @cached_property
    def index(self) -> IndexTroncons:
        """Index spatial des tronçons raccordables."""
        return construire_index(self.reseau, self.raccordable)

    @cached_property
    def incidence(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Tronçons touchant chaque noeud, au format CSR : ``(debut int64[n+1], troncon int32)``.

        Une boucle (origine égale à la destination) n'y figure qu'une fois.
        """
        o, d = self.reseau.troncon_origine, self.reseau.troncon_destination
        troncon = np.arange(o.size, dtype=np.int32)
        ouverte = o != d
        noeud = np.concatenate([o, d[ouverte]])
        ordre = np.argsort(noeud, kind="stable")
        debut = np.zeros(self.nombre_noeuds + 1, dtype=np.int64)
        np.cumsum(np.bincount(noeud, minlength=self.nombre_noeuds), out=debut[1:])
        return debut, np.concatenate([troncon, troncon[ouverte]])[ordre]

    def arcs(self, sens: Sens) -> Arcs:
        """Arcs à parcourir pour une recherche ``depuis`` ou ``vers`` des points."""
        return self.avant if sens == "depuis" else self.inverse

    def temps_sens(self, sens: Sens) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Temps pour s'éloigner de l'origine et de la destination de chaque tronçon.

        Depuis un point, s'éloigner de l'origine du tronçon se fait dans le sens aller ; vers un
        point, c'est le sens retour qui y ramène.
        """
        if sens == "depuis":
            return self.aller_s, self.retour_s
        return self.retour_s, self.aller_s

    def vers_matrice(self, sens: Sens = "depuis") -> sp.csr_array:
        """Matrice creuse des temps (s), arcs parallèles réduits au plus court.

        scipy additionne les doublons d'une matrice creuse : ils sont donc réduits ici.
        """
        arcs = self.arcs(sens)
        origine = np.repeat(np.arange(self.nombre_noeuds), np.diff(arcs.debut))
        ordre = np.lexsort((arcs.temps_s, arcs.cible, origine))
        o, c = origine[ordre], arcs.cible[ordre]
        premier = np.ones(o.size, dtype=bool)
        premier[1:] = (o[1:] != o[:-1]) | (c[1:] != c[:-1])
        n = self.nombre_noeuds
        return sp.csr_array(
            (arcs.temps_s[ordre][premier].astype(np.float64), (o[premier], c[premier])),
            shape=(n, n),
        )


def construire_graphe(reseau: ReseauRues, profil: Profil, composante_min_noeuds: int = 1) -> Graphe:
    """Construire le graphe d'un mode.

    Parameters
    ----------
    reseau
        Réseau de rues simplifié.
    profil
        Mode et hypothèses.
    composante_min_noeuds
        Les morceaux plus petits ne reçoivent aucun rattachement.

    Raises
    ------
    ErreurReseau
        Aucune rue n'est praticable par ce mode, ou aucun morceau de réseau n'est assez grand pour
        qu'on y rattache des points.
    """
    aller, retour = calculer_temps_troncons(reseau, profil)
    va, revient = np.isfinite(aller), np.isfinite(retour)
    if not (va.any() or revient.any()):
        raise ErreurReseau(
            "Aucune rue de l'extrait n'est praticable par ce mode.",
            objet=profil.mode,
            conseil="vérifier que l'extrait OSM couvre le territoire et contient des voies",
        )
    o, d = reseau.troncon_origine, reseau.troncon_destination
    depart = np.concatenate([o[va], d[revient]])
    arrivee = np.concatenate([d[va], o[revient]])
    temps = np.concatenate([aller[va], retour[revient]]).astype(np.float32)
    n = reseau.nombre_noeuds
    avant = _ranger_arcs(n, depart, arrivee, temps)
    inverse = _ranger_arcs(n, arrivee, depart, temps)
    composante, taille = _composantes(n, depart, arrivee)
    assez_grande = taille[composante] >= composante_min_noeuds
    # Une rue à sens unique qui quitte un morceau n'en fait pas partie : y rattacher un point le
    # rendrait inaccessible ou captif.
    raccordable = (va | revient) & (composante[o] == composante[d]) & assez_grande[o]
    if not raccordable.any():
        raise ErreurReseau(
            "Aucun point ne pourrait être rattaché : le réseau de ce mode est fait de trop petits "
            "morceaux.",
            objet=profil.mode,
            attendu=f"un morceau d'au moins {composante_min_noeuds} noeuds mutuellement "
            "accessibles (composante_min_noeuds)",
            trouve=f"{int(taille.max())} noeud(s) dans le plus grand morceau",
            conseil="élargir l'extrait OSM, ou baisser composante_min_noeuds dans "
            "parametres/etude.toml",
        )
    utilise = np.zeros(n, dtype=bool)
    utilise[depart] = utilise[arrivee] = True
    isoles = utilise & ~assez_grande
    return Graphe(
        reseau=reseau,
        profil=profil,
        aller_s=aller,
        retour_s=retour,
        raccordable=raccordable,
        avant=avant,
        inverse=inverse,
        morceaux_isoles=int(np.unique(composante[isoles]).size),
        noeuds_isoles=int(isoles.sum()),
    )


def _ranger_arcs(
    n: int, depart: NDArray[np.int32], arrivee: NDArray[np.int32], temps: NDArray[np.float32]
) -> Arcs:
    ordre = np.lexsort((arrivee, depart))
    debut = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(depart, minlength=n), out=debut[1:])
    arcs = np.empty(ordre.size, dtype=ARC)
    arcs["cible"] = arrivee[ordre]
    arcs["temps_s"] = temps[ordre]
    # Un arc plus court que le pas fait au pire revoir quelques noeuds ; un pas trop fin fait
    # traverser des seaux vides. Mesuré plat entre le vingtième et la moitié de l'arc médian.
    return Arcs(debut, arcs, max(float(np.median(temps)) / 4, 1e-3))


def _composantes(
    n: int, depart: NDArray[np.int32], arrivee: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Composantes fortement connexes : numéro par noeud, taille par composante."""
    matrice = sp.csr_array((np.ones(depart.size, dtype=np.int8), (depart, arrivee)), shape=(n, n))
    _, composante = connected_components(matrice, directed=True, connection="strong")
    return composante, np.bincount(composante)
