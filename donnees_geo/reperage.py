"""Répertoire des lieux d'un territoire : communes, lieux de service et rues, cherchés par leur nom.

La recherche est faite ici, hors ligne, par débuts de mots, sans souci des accents, de la casse ni
de la ponctuation : « st omer moul » trouve la rue du Moulin de Saint-Omer.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from donnees_geo.reseau import ReseauRues
from donnees_geo.territoire import Territoire

#: Genres de lieux, du plus au moins cherché : à égalité, les premiers d'abord.
GENRES: Final = ("commune", "lieu", "rue")
#: Côté des mailles qui distinguent, hors du découpage, deux rues du même nom, mètres.
MAILLE_RUES_M: Final = 3000.0
#: Abréviations des noms français de lieux et de voies, employées dans les données et à la saisie.
ABREVIATIONS: Final[Mapping[str, str]] = {
    "st": "saint",
    "ste": "sainte",
    "av": "avenue",
    "bd": "boulevard",
    "bvd": "boulevard",
    "pl": "place",
    "rte": "route",
    "imp": "impasse",
    "che": "chemin",
    "res": "residence",
    "dr": "docteur",
    "gal": "general",
    "mal": "marechal",
}
#: Fin d'alphabet : aucun mot normalisé ne la dépasse.
_APRES: Final = "\U0010ffff"


@dataclass(frozen=True)
class Repertoire:
    """Lieux nommés et index de leurs mots.

    Attributes
    ----------
    titres, details
        Nom affiché, et ce qui le situe (genre ou service, commune).
    genre
        uint8[n], rang dans :data:`GENRES`.
    x, y
        float64[n], mètres, CRS du territoire.
    mots
        Mots normalisés distincts, triés.
    lieux_debut, lieux
        int64[mots+1] et int32[k] : lieux dont le texte contient le mot ``m``,
        ``lieux[lieux_debut[m]:lieux_debut[m+1]]``.
    premier_mot
        int32[n], rang dans ``mots`` du premier mot du titre, -1 sans mot.
    longueur
        int32[n], longueur du titre : à égalité, le plus court d'abord.
    """

    titres: tuple[str, ...]
    details: tuple[str, ...]
    genre: NDArray[np.uint8]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mots: tuple[str, ...]
    lieux_debut: NDArray[np.int64]
    lieux: NDArray[np.int32]
    premier_mot: NDArray[np.int32]
    longueur: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.titres)


def normaliser(texte: str) -> list[str]:
    """Mots d'un texte : minuscules sans accents, abréviations développées."""
    decompose = unicodedata.normalize("NFKD", texte.lower().replace("œ", "oe").replace("æ", "ae"))
    nu = "".join(c for c in decompose if not unicodedata.combining(c))
    return [ABREVIATIONS.get(mot, mot) for mot in re.findall(r"[a-z0-9]+", nu)]


def construire_repertoire(territoire: Territoire) -> Repertoire:
    """Répertoire des communes, des lieux de service et des rues nommées d'un territoire.

    Une commune est placée à sa mairie, à défaut en son carreau le plus peuplé ; une rue, au milieu
    de l'un de ses tronçons, une fois par commune qu'elle traverse.
    """
    tables = [
        _lister_communes(territoire),
        _lister_lieux(territoire),
        _lister_rues(territoire),
    ]
    table = pd.concat([t for t in tables if not t.empty], ignore_index=True)
    return indexer(
        table["titre"].tolist(),
        table["detail"].tolist(),
        table["genre"].to_numpy(dtype=np.uint8),
        table["x"].to_numpy(dtype=np.float64),
        table["y"].to_numpy(dtype=np.float64),
    )


def indexer(
    titres: Sequence[str],
    details: Sequence[str],
    genre: NDArray[np.uint8],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> Repertoire:
    """Index des mots de lieux donnés en colonnes (voir :class:`Repertoire`)."""
    paires: set[tuple[str, int]] = set()
    premiers: list[str] = []
    for rang, (titre, detail) in enumerate(zip(titres, details, strict=True)):
        mots_titre = normaliser(titre)
        premiers.append(mots_titre[0] if mots_titre else "")
        paires.update((mot, rang) for mot in (*mots_titre, *normaliser(detail)))
    triees = sorted(paires)
    mots = sorted({mot for mot, _ in triees})
    rang_mot = {mot: i for i, mot in enumerate(mots)}
    compte = np.bincount([rang_mot[mot] for mot, _ in triees], minlength=len(mots))
    return Repertoire(
        titres=tuple(titres),
        details=tuple(details),
        genre=genre,
        x=x,
        y=y,
        mots=tuple(mots),
        lieux_debut=np.concatenate([[0], np.cumsum(compte)]).astype(np.int64),
        lieux=np.array([rang for _, rang in triees], dtype=np.int32),
        premier_mot=np.array([rang_mot.get(m, -1) for m in premiers], dtype=np.int32),
        longueur=np.array([len(t) for t in titres], dtype=np.int32),
    )


def chercher_lieux(
    repertoire: Repertoire,
    texte: str,
    nombre: int = 8,
    pres_de: tuple[float, float] | None = None,
) -> NDArray[np.intp]:
    """Lieux dont chaque mot demandé commence l'un des mots, les plus probables d'abord.

    D'abord ceux dont le nom commence par le premier mot demandé, puis par genre (commune, lieu,
    rue), puis les noms les plus courts, puis les plus proches de ``pres_de``.

    Parameters
    ----------
    repertoire
        Répertoire.
    texte
        Ce qui est cherché ; les articles comptent comme les autres mots.
    nombre
        Nombre de lieux rendus au plus.
    pres_de
        ``(x, y)`` en mètres, CRS du territoire : ce que montre la carte.

    Returns
    -------
    numpy.ndarray
        intp[k], rangs dans le répertoire ; vide si rien ne convient ou si rien n'est demandé.
    """
    demandes = normaliser(texte)
    if not demandes or not len(repertoire):
        return np.empty(0, dtype=np.intp)
    commun = np.ones(len(repertoire), dtype=bool)
    for demande in demandes:
        debut, fin = _mots_commencant(repertoire, demande)
        trouves = np.zeros(len(repertoire), dtype=bool)
        trouves[repertoire.lieux[repertoire.lieux_debut[debut] : repertoire.lieux_debut[fin]]] = (
            True
        )
        commun &= trouves
    candidats = np.flatnonzero(commun)
    premier, dernier = _mots_commencant(repertoire, demandes[0])
    commence = repertoire.premier_mot[candidats]
    ailleurs = (commence < premier) | (commence >= dernier)
    distance = np.zeros(candidats.size)
    if pres_de is not None:
        distance = np.hypot(
            repertoire.x[candidats] - pres_de[0], repertoire.y[candidats] - pres_de[1]
        )
    longueur, genre = repertoire.longueur[candidats], repertoire.genre[candidats]
    ordre = np.lexsort((candidats, distance, longueur, genre, ailleurs))
    return candidats[ordre[:nombre]]


def _mots_commencant(repertoire: Repertoire, debut: str) -> tuple[int, int]:
    """Rangs ``[premier, dernier[`` des mots qui commencent ainsi."""
    mots = repertoire.mots
    return bisect_left(mots, debut), bisect_left(mots, debut + _APRES)


def _en_table(
    titres: Sequence[str],
    details: Sequence[str],
    genre: str,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> pd.DataFrame:
    return pd.DataFrame(
        {"titre": titres, "detail": details, "genre": GENRES.index(genre), "x": x, "y": y}
    )


def _lister_communes(territoire: Territoire) -> pd.DataFrame:
    communes = territoire.communes
    codes = communes["code_commune"].astype(str)
    centres = shapely.get_coordinates(shapely.point_on_surface(communes.geometry.to_numpy()))
    place = pd.DataFrame(centres, columns=["x", "y"], index=pd.Index(codes))
    carreaux = territoire.carreaux.sort_values("population_hab", kind="stable")
    peuples = carreaux[carreaux["population_hab"] > 0].drop_duplicates("code_commune", keep="last")
    place.update(peuples.set_index("code_commune")[["x", "y"]])
    e = territoire.equipements
    mairies = e[(e["service"] == "mairie") & (e["code_commune"] != "")]
    mairies = mairies.drop_duplicates("code_commune")
    xy = shapely.get_coordinates(shapely.point_on_surface(mairies.geometry.to_numpy()))
    place.update(pd.DataFrame(xy, columns=["x", "y"], index=pd.Index(mairies["code_commune"])))
    place = place.loc[codes]
    bassins = communes["bassin_de_vie"].astype(str)
    details = ["commune" + (f", bassin de vie de {b}" if b else "") for b in bassins]
    return _en_table(
        communes["nom"].astype(str).tolist(),
        details,
        "commune",
        place["x"].to_numpy(dtype=np.float64),
        place["y"].to_numpy(dtype=np.float64),
    )


def _lister_lieux(territoire: Territoire) -> pd.DataFrame:
    e = territoire.equipements
    noms = _noms_communes(territoire)
    libelles = {s.id: s.libelle for s in territoire.services}
    titres, details = [], []
    for service, nom, code in zip(
        e["service"].astype(str), e["nom"].astype(str), e["code_commune"].astype(str), strict=True
    ):
        libelle = libelles.get(service, service)
        titres.append(nom or f"{libelle[:1].upper()}{libelle[1:]}")
        situation = [libelle] if nom else []
        details.append(", ".join([*situation, noms.get(code, "hors du territoire")]))
    xy = shapely.get_coordinates(shapely.point_on_surface(e.geometry.to_numpy()))
    return _en_table(titres, details, "lieu", xy[:, 0], xy[:, 1])


def _noms_communes(territoire: Territoire) -> dict[str, str]:
    communes = territoire.communes
    return dict(zip(communes["code_commune"].astype(str), communes["nom"].astype(str), strict=True))


def _lister_rues(territoire: Territoire) -> pd.DataFrame:
    reseau = territoire.reseau
    nommes = np.flatnonzero(reseau.troncon_nom >= 0)
    x, y = _milieux(reseau, nommes)
    commune = _communes_des_points(territoire, x, y)
    maille = np.where(
        commune < 0,
        (x // MAILLE_RUES_M).astype(np.int64) * 1_000_003 + (y // MAILLE_RUES_M).astype(np.int64),
        0,
    )
    troncons = pd.DataFrame(
        {"nom": reseau.troncon_nom[nommes], "commune": commune, "maille": maille, "x": x, "y": y}
    )
    groupes = troncons.groupby(["nom", "commune", "maille"], sort=True)
    milieu = groupes[["x", "y"]].transform("mean")
    troncons["ecart"] = np.hypot(troncons["x"] - milieu["x"], troncons["y"] - milieu["y"])
    rues = troncons.sort_values("ecart", kind="stable").drop_duplicates(
        ["nom", "commune", "maille"]
    )
    rues = rues.sort_values(["nom", "commune", "maille"])
    noms_communes = [*territoire.communes["nom"].astype(str), "hors du territoire"]
    return _en_table(
        [reseau.noms[n] for n in rues["nom"]],
        [f"rue, {noms_communes[c]}" for c in rues["commune"]],
        "rue",
        rues["x"].to_numpy(dtype=np.float64),
        rues["y"].to_numpy(dtype=np.float64),
    )


def _milieux(
    reseau: ReseauRues, troncons: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Milieu du segment médian de chaque tronçon, mètres : un point de la rue."""
    debut, fin = reseau.geometrie_debut[troncons], reseau.geometrie_debut[troncons + 1]
    a = debut + (fin - debut - 2) // 2
    x, y = reseau.geometrie_x, reseau.geometrie_y
    return (x[a] + x[a + 1]) / 2, (y[a] + y[a + 1]) / 2


def _communes_des_points(
    territoire: Territoire, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Rang de la commune qui contient chaque point, -1 hors du découpage."""
    commune = np.full(x.size, -1, dtype=np.int64)
    points, communes = territoire.communes.sindex.query(shapely.points(x, y), predicate="within")
    # À cheval sur une limite, la première commune l'emporte.
    commune[points[::-1]] = communes[::-1]
    return commune
