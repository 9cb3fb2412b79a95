"""Marche autour du transport collectif, sur les rues réelles : points ↔ arrêts et arrêts ↔ arrêts.

Les temps de marche sont arrondis à la seconde supérieure : l'horaire est en secondes entières, et
un piéton en retard d'une fraction de seconde manque son car.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.rues.dijkstra import calculer_plus_proche
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.matrices import Liens, calculer_liens
from accessibilite.rues.rattachement import Rattachement, rattacher_points
from accessibilite.transport.horaires import INFINI_S, Correspondances
from accessibilite.transport.porte_a_porte import LiensArrets
from donnees_geo.conventions import Sens
from donnees_geo.gtfs import OffreTransport

# Règles de ``transfers.txt`` (transfer_type).
CORRESPONDANCE_ASSUREE = 1
CORRESPONDANCE_MINUTEE = 2
CORRESPONDANCE_INTERDITE = 3


@dataclass(frozen=True)
class MarcheTc:
    """Marche autour du transport collectif : graphe, arrêts rattachés et limite.

    Attributes
    ----------
    graphe
        Graphe de la marche.
    arrets
        Arrêts de l'offre, dans l'ordre de ``offre.arrets`` ; les gares, les arrêts sans position
        et ceux hors de l'emprise n'y sont pas rattachés.
    marche_max_m
        Marche maximale pour rejoindre un arrêt, en changer ou en sortir. La marche de bout en bout
        n'a d'autre limite que la durée maximale : on n'atteint jamais moins qu'à pied.
    """

    graphe: Graphe
    arrets: Rattachement
    marche_max_m: float

    @property
    def limite_s(self) -> float:
        """Temps de marche correspondant, à plat."""
        return self.marche_max_m / self.graphe.profil.approche_m_s


def rattacher_arrets(
    graphe: Graphe, offre: OffreTransport, *, marche_max_m: float, rattachement_max_m: float
) -> MarcheTc:
    """Rattacher les arrêts au réseau de marche.

    Parameters
    ----------
    graphe
        Graphe de la marche.
    offre
        Offre de transport, dans le CRS du réseau.
    marche_max_m
        Marche maximale par trajet à pied, m.
    rattachement_max_m
        Distance au-delà de laquelle un arrêt n'est relié à aucune rue, m.
    """
    arrets = offre.arrets
    # Type 0 (quai) et 4 (zone d'un quai) : là où l'on monte ; une gare (1) n'est pas un lieu.
    utile = arrets["dans_emprise"].to_numpy() & np.isin(arrets["type"].to_numpy(), (0, 4))
    utile |= arrets["dans_emprise"].to_numpy() & _desservis(offre)
    x = np.where(utile, arrets["x"].to_numpy(), np.nan)
    y = np.where(utile, arrets["y"].to_numpy(), np.nan)
    rattachement = rattacher_points(graphe, x, y, distance_max_m=rattachement_max_m)
    return MarcheTc(graphe, rattachement, float(marche_max_m))


def _desservis(offre: OffreTransport) -> NDArray[np.bool_]:
    """Arrêts cités par au moins un passage, bool[a]."""
    desservi = np.zeros(offre.nombre_arrets, dtype=bool)
    desservi[offre.passage_arret] = True
    return desservi


def en_secondes(temps_s: NDArray[np.float64]) -> NDArray[np.int32]:
    """Temps entiers, arrondis vers le haut ; ``inf`` devient ``INFINI_S``.

    Examples
    --------
    >>> en_secondes(np.array([0.0, 59.2, np.inf])).tolist() == [0, 60, INFINI_S]
    True
    """
    # Un millième de seconde de tolérance : 60,0000001 s, c'est 60 s.
    fini = np.isfinite(temps_s)
    return np.where(fini, np.ceil(np.where(fini, temps_s, 0.0) - 1e-3), INFINI_S).astype(np.int32)


def lier_points(marche: MarcheTc, points: Rattachement, sens: Sens = "vers") -> LiensArrets:
    """Marche entre des points et les arrêts à portée, une ligne par point.

    Parameters
    ----------
    marche
        Graphe et arrêts.
    points
        Points rattachés au même graphe.
    sens
        ``vers`` : du point aux arrêts (on va prendre le car) ; ``depuis`` : des arrêts au point.
    """
    if sens == "vers":
        liens = calculer_liens(marche.graphe, points, marche.arrets, limite_s=marche.limite_s)
        return LiensArrets(liens.debut, liens.cible, en_secondes(liens.temps_s))
    liens = calculer_liens(marche.graphe, marche.arrets, points, limite_s=marche.limite_s)
    return transposer_liens(liens, len(points))


def transposer_liens(liens: Liens, nombre_cibles: int) -> LiensArrets:
    """Liens rangés par cible : chaque ligne donne les départs qui y mènent."""
    depart = np.repeat(np.arange(liens.debut.size - 1, dtype=np.int32), np.diff(liens.debut))
    ordre = np.argsort(liens.cible, kind="stable")
    debut = np.concatenate([[0], np.cumsum(np.bincount(liens.cible, minlength=nombre_cibles))])
    return LiensArrets(debut.astype(np.int64), depart[ordre], en_secondes(liens.temps_s[ordre]))


def fusionner_liens(premiers: LiensArrets, seconds: LiensArrets) -> LiensArrets:
    """Réunir deux jeux de liens (à pied, à vélo) en gardant le plus rapide de chaque paire.

    Les deux jeux ont le même nombre de lignes.
    """
    n = premiers.debut.size - 1
    ligne = np.concatenate(
        [np.repeat(np.arange(n), np.diff(jeu.debut)) for jeu in (premiers, seconds)]
    )
    cible = np.concatenate([premiers.cible, seconds.cible])
    temps = np.concatenate([premiers.temps_s, seconds.temps_s])
    ordre = np.lexsort((temps, cible, ligne))
    ligne, cible, temps = ligne[ordre], cible[ordre], temps[ordre]
    garde = np.ones(ligne.size, dtype=bool)
    garde[1:] = (ligne[1:] != ligne[:-1]) | (cible[1:] != cible[:-1])
    debut = np.concatenate([[0], np.cumsum(np.bincount(ligne[garde], minlength=n))])
    return LiensArrets(debut.astype(np.int64), cible[garde], temps[garde])


def marcher_entre_arrets_et_lieu(
    marche: MarcheTc, lieu: Rattachement, sens: Sens
) -> NDArray[np.int32]:
    """Marche entre chaque arrêt et la plus proche des portes d'un lieu, int32[a].

    Parameters
    ----------
    marche
        Graphe et arrêts.
    lieu
        Portes du lieu, rattachées au même graphe.
    sens
        ``vers`` le lieu (de l'arrêt à la porte) ou ``depuis`` lui.
    """
    plus_proche = calculer_plus_proche(
        marche.graphe, marche.arrets, lieu, sens=sens, limite_s=marche.limite_s
    )
    return en_secondes(plus_proche.temps_s)


def construire_correspondances(
    marche: MarcheTc, offre: OffreTransport, embarquement_min_s: int
) -> Correspondances:
    """Correspondances entre arrêts : marche sur les rues, gares, puis règles du flux.

    Changer au même arrêt ne demande que la marge d'embarquement. Les quais d'une même gare
    communiquent au moins en ligne droite. ``transfers.txt`` l'emporte : temps minimal donné
    (type 2, marge comprise), correspondance assurée (type 1, sans marge) ou interdite (type 3) ;
    une règle entre gares vaut pour tous leurs quais, une règle entre quais l'emporte sur elle.

    Parameters
    ----------
    marche
        Graphe et arrêts.
    offre
        Offre de transport.
    embarquement_min_s
        Marge entre l'arrivée à l'arrêt et la montée, s.
    """
    n = offre.nombre_arrets
    liens = calculer_liens(marche.graphe, marche.arrets, marche.arrets, limite_s=marche.limite_s)
    rues = pd.DataFrame(
        {
            "depuis": np.repeat(np.arange(n, dtype=np.int32), np.diff(liens.debut)),
            "vers": liens.cible,
            "marche_s": en_secondes(liens.temps_s),
        }
    )
    memes = pd.DataFrame({"depuis": np.arange(n), "vers": np.arange(n), "marche_s": 0})
    gares = _paires_de_gare(marche, offre)
    paires = pd.concat([rues, memes, gares]).astype(np.int32)
    paires = paires.sort_values("marche_s").drop_duplicates(["depuis", "vers"])
    paires["temps_s"] = paires["marche_s"].to_numpy() + np.int32(embarquement_min_s)
    paires = _appliquer_regles(paires, offre)
    nombre = np.bincount(paires["depuis"].to_numpy(), minlength=n)
    return Correspondances(
        np.concatenate([[0], np.cumsum(nombre)]).astype(np.int64),
        paires["vers"].to_numpy(dtype=np.int32),
        paires["temps_s"].to_numpy(dtype=np.int32),
    )


def _paires_de_gare(marche: MarcheTc, offre: OffreTransport) -> pd.DataFrame:
    """Quais d'une même gare, reliés en ligne droite."""
    arrets = offre.arrets
    quais = pd.DataFrame(
        {
            "arret": np.arange(len(arrets)),
            "station": arrets["station"].to_numpy(),
            "x": arrets["x"].to_numpy(),
            "y": arrets["y"].to_numpy(),
        }
    )[_desservis(offre)]
    paires = quais.merge(quais, on="station", suffixes=("_a", "_b"))
    colonnes = ("arret_a", "arret_b", "x_a", "y_a", "x_b", "y_b")
    a, b, xa, ya, xb, yb = (paires[c].to_numpy() for c in colonnes)
    distance_m = np.hypot(xa - xb, ya - yb)
    garde = (a != b) & (distance_m <= marche.marche_max_m)  # faux aussi sans position
    marche_s = en_secondes(distance_m[garde] / marche.graphe.profil.approche_m_s)
    return pd.DataFrame({"depuis": a[garde], "vers": b[garde], "marche_s": marche_s})


def _appliquer_regles(paires: pd.DataFrame, offre: OffreTransport) -> pd.DataFrame:
    """Appliquer ``transfers.txt`` aux paires ``depuis``, ``vers``, ``marche_s``, ``temps_s``."""
    regles = _etendre_aux_quais(offre)
    if regles.empty:
        return paires.sort_values(["depuis", "vers"], ignore_index=True)
    tout = paires.merge(regles, on=["depuis", "vers"], how="outer")
    genre = tout["type"].to_numpy(dtype=np.float64, na_value=0.0)
    minimum = tout["temps_min_s"].to_numpy(dtype=np.float64, na_value=-1.0)
    temps = np.where(genre == CORRESPONDANCE_ASSUREE, tout["marche_s"], tout["temps_s"])
    temps = np.where((genre == CORRESPONDANCE_MINUTEE) & (minimum >= 0), minimum, temps)
    # Une règle sans temps entre deux arrêts trop éloignés pour marcher ne crée pas de lien.
    garde = (genre != CORRESPONDANCE_INTERDITE) & np.isfinite(temps)
    retenues: pd.DataFrame = tout.assign(temps_s=temps).loc[garde]
    return retenues.sort_values(["depuis", "vers"], ignore_index=True)


def _etendre_aux_quais(offre: OffreTransport) -> pd.DataFrame:
    """Règles du flux, celles entre gares recopiées à chaque quai, la plus précise gardée."""
    regles = offre.correspondances.copy()
    quais = pd.DataFrame(
        {
            "quai": np.arange(offre.nombre_arrets, dtype=np.int32),
            "station": offre.arrets["station"].to_numpy(),
        }
    )
    lieux = pd.concat(
        [
            quais.rename(columns={"station": "lieu"}),
            pd.DataFrame({"quai": quais["quai"], "lieu": quais["quai"]}),
        ]
    ).drop_duplicates()
    lieux["precis"] = lieux["quai"] == lieux["lieu"]
    for colonne in ("depuis", "vers"):
        regles = regles.merge(
            lieux.rename(columns={"lieu": colonne, "precis": f"precis_{colonne}"}), on=colonne
        )
        regles[colonne] = regles.pop("quai")
    regles["precision"] = regles["precis_depuis"].astype(int) + regles["precis_vers"].astype(int)
    # À précision égale, la règle la plus contraignante (interdite, puis le plus long).
    regles = regles.sort_values(["precision", "type", "temps_min_s"], ascending=False)
    precises: pd.DataFrame = regles.drop_duplicates(["depuis", "vers"])
    return precises.loc[:, ["depuis", "vers", "type", "temps_min_s"]]
