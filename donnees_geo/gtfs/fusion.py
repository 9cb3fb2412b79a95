"""Réunion de plusieurs flux en une offre, doublons entre flux signalés."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.gtfs.lecture import FluxLu, lire_flux, noms_de_flux
from donnees_geo.gtfs.offre import OffreTransport
from donnees_geo.gtfs.passages import Passages

#: Deux arrêts de flux différents plus proches que cela sont sans doute le même lieu (m).
DISTANCE_DOUBLON_M: Final = 30.0


def lire_gtfs(
    fichiers: Sequence[Path],
    crs: str,
    emprise: BaseGeometry | None = None,
    date_service: date | None = None,
) -> tuple[OffreTransport, list[Constat]]:
    """Lire un ou plusieurs flux GTFS et les réunir.

    Parameters
    ----------
    fichiers
        Archives zip (ou dossiers), dans l'ordre de préférence : en cas de doublon, la course du
        premier flux est l'original.
    crs
        CRS métrique du territoire.
    emprise
        Polygone EPSG:4326 (territoire élargi) ; les courses qui n'y ont aucun arrêt sont laissées
        pendant la lecture. ``None`` : tout garder.
    date_service
        Jour étudié ; s'il est hors du calendrier, un constat bloquant donne la période valable.

    Returns
    -------
    offre : OffreTransport
        Offre réunie.
    constats : list of Constat
        Tout ce qui a été écarté, interpolé ou trouvé suspect.

    Raises
    ------
    ErreurDonnees
        Flux illisible ou refusé ; fichier, colonne ou valeur fautifs (fichier et ligne donnés).
    """
    constats: list[Constat] = []
    noms = noms_de_flux(fichiers)
    lus = [lire_flux(f, nom, crs, emprise, constats) for f, nom in zip(fichiers, noms, strict=True)]
    offre = _reunir(lus, crs)
    _constater_arrets_doubles(offre, constats)
    doublons = _reperer_courses_doubles(offre)
    if doublons.any():
        offre.courses["doublon"] = doublons  # table neuve, encore à nous
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "transport.gtfs",
                f"{int(doublons.sum())} course(s) figurent dans deux flux (mêmes arrêts, mêmes "
                "heures, mêmes jours) ; la desserte ne les compte qu'une fois.",
            )
        )
    if offre.nombre_courses == 0:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "transport.gtfs",
                "Aucune course ne dessert le territoire : vérifier les flux et l'emprise.",
            )
        )
    constats += verifier_date(offre, date_service)
    return offre, constats


def verifier_date(offre: OffreTransport, jour: date | None) -> list[Constat]:
    """Comparer le jour étudié à la période de chaque flux.

    Returns
    -------
    list of Constat
        Bloquant si aucun flux n'est valable ce jour-là, majeur si l'un d'eux ne l'est pas, majeur
        si le jour est couvert mais qu'aucune course n'y circule.
    """
    if jour is None:
        return []
    periodes = zip(
        *(offre.periodes[c].astype(str).tolist() for c in ("flux", "debut", "fin")), strict=True
    )
    dehors = [
        f"{flux} (du {_jour(debut)} au {_jour(fin)})"
        for flux, debut, fin in periodes
        if not debut or not (debut <= jour.isoformat() <= fin)
    ]
    if not dehors:
        rang = jour.toordinal() - offre.premier_jour.toordinal()
        if 0 <= rang < offre.calendrier.shape[1] and offre.calendrier[:, rang].any():
            return []
        return [
            Constat(
                Gravite.MAJEUR,
                "transport.date_service",
                f"Aucune course ne circule le {jour:%d/%m/%Y} : le territoire n'a pas de "
                "transport collectif ce jour-là.",
            )
        ]
    tous = len(dehors) == len(offre.periodes)
    return [
        Constat(
            Gravite.BLOQUANT if tous else Gravite.MAJEUR,
            "transport.date_service",
            f"Le jour étudié, {jour:%d/%m/%Y}, est hors de la période de validité de : "
            f"{', '.join(dehors)}. "
            + (
                "Choisir une date dans cette période."
                if tous
                else "Ces flux périmés ou à venir n'apportent aucune course ce jour-là."
            ),
        )
    ]


def _jour(iso: str) -> str:
    return date.fromisoformat(iso).strftime("%d/%m/%Y") if iso else "?"


def _reunir(lus: Sequence[FluxLu], crs: str) -> OffreTransport:
    """Mettre bout à bout les tables des flux, identifiants préfixés et indices décalés."""
    decalages = {
        nom: np.concatenate([[0], np.cumsum([len(getattr(f, nom)) for f in lus])]).astype(np.int32)
        for nom in ("arrets", "lignes", "courses")
    }
    d_service = np.cumsum([0, *(f.calendrier.services.size for f in lus)]).astype(np.int32)
    arrets = _empiler([_prefixer(f.arrets, f.nom, "arret") for f in lus])
    for i, f in enumerate(lus):
        tranche = slice(decalages["arrets"][i], decalages["arrets"][i + 1])
        for colonne in ("parent", "station"):
            valeurs = f.arrets[colonne].to_numpy()
            arrets.loc[arrets.index[tranche], colonne] = np.where(
                valeurs >= 0, valeurs + decalages["arrets"][i], -1
            )
    courses = _empiler([_prefixer(f.courses, f.nom, "course") for f in lus])
    courses["ligne"] += np.repeat(decalages["lignes"][:-1], [len(f.courses) for f in lus])
    courses["service"] += np.repeat(d_service[:-1], [len(f.courses) for f in lus])
    courses["doublon"] = False
    frequences = [
        f.frequences.assign(course=f.frequences["course"] + decalages["courses"][i])
        for i, f in enumerate(lus)
    ]
    correspondances = [
        f.correspondances.assign(
            depuis=f.correspondances["depuis"] + decalages["arrets"][i],
            vers=f.correspondances["vers"] + decalages["arrets"][i],
        )
        for i, f in enumerate(lus)
    ]
    enchainements = [
        f.enchainements.assign(
            depuis=f.enchainements["depuis"] + decalages["courses"][i],
            vers=f.enchainements["vers"] + decalages["courses"][i],
        )
        for i, f in enumerate(lus)
    ]
    premier, calendrier = _reunir_calendriers(lus)
    passages = _reunir_passages(lus, decalages["courses"], decalages["arrets"])
    debut = np.concatenate(
        [[0], np.cumsum(np.bincount(passages.course, minlength=len(courses)))]
    ).astype(np.int64)
    return OffreTransport(
        crs=crs,
        flux=tuple(f.nom for f in lus),
        arrets=arrets,
        lignes=_empiler([_prefixer(f.lignes, f.nom, "ligne") for f in lus]),
        courses=courses,
        passage_debut=debut,
        passage_arret=passages.arret,
        passage_arrivee_s=passages.arrivee_s,
        passage_depart_s=passages.depart_s,
        passage_montee=passages.montee,
        passage_descente=passages.descente,
        services=_empiler(
            [
                _prefixer(pd.DataFrame({"id_source": f.calendrier.services}), f.nom, "service")
                for f in lus
            ]
        ),
        premier_jour=date.fromordinal(premier),
        calendrier=calendrier,
        frequences=_empiler(frequences),
        correspondances=_empiler(correspondances),
        enchainements=_empiler(enchainements),
        a_la_demande=_empiler([f.a_la_demande for f in lus]),
        periodes=pd.DataFrame([f.periode for f in lus]),
    )


def _prefixer(table: pd.DataFrame, flux: str, nom: str) -> pd.DataFrame:
    """Ajouter l'identifiant unique ``flux:id_source`` et le nom du flux."""
    table = table.copy()
    table.insert(0, nom, pd.Series([f"{flux}:{i}" for i in table["id_source"]], dtype="str"))
    table.insert(1, "flux", pd.Series([flux] * len(table), dtype="str"))
    for colonne in [c for c in table.columns if pd.api.types.is_object_dtype(table[c])]:
        table[colonne] = table[colonne].astype("str")
    return table


def _empiler(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True)


def _reunir_calendriers(lus: Sequence[FluxLu]) -> tuple[int, NDArray[np.bool_]]:
    """Étendre les calendriers à la période qui les contient tous."""
    premier = min(f.calendrier.premier_jour for f in lus)
    dernier = max(f.calendrier.premier_jour + f.calendrier.circule.shape[1] for f in lus)
    blocs = []
    for f in lus:
        bloc = np.zeros((f.calendrier.services.size, dernier - premier), dtype=bool)
        debut = f.calendrier.premier_jour - premier
        bloc[:, debut : debut + f.calendrier.circule.shape[1]] = f.calendrier.circule
        blocs.append(bloc)
    return premier, np.vstack(blocs)


def _reunir_passages(
    lus: Sequence[FluxLu], d_course: NDArray[np.int32], d_arret: NDArray[np.int32]
) -> Passages:
    """Mettre bout à bout les passages, indices décalés."""
    return Passages(
        np.concatenate([f.passages.course + d_course[i] for i, f in enumerate(lus)]),
        np.concatenate([f.passages.arret + d_arret[i] for i, f in enumerate(lus)]),
        np.concatenate([f.passages.arrivee_s for f in lus]),
        np.concatenate([f.passages.depart_s for f in lus]),
        np.concatenate([f.passages.montee for f in lus]),
        np.concatenate([f.passages.descente for f in lus]),
        np.concatenate([f.passages.reservation for f in lus]),
    )


def _paires_proches(offre: OffreTransport) -> NDArray[np.intp]:
    """Paires d'arrêts de flux différents à moins de ``DISTANCE_DOUBLON_M``, intp[p, 2]."""
    if len(offre.flux) < 2:
        return np.zeros((0, 2), np.intp)
    quais = np.flatnonzero((offre.arrets["type"] == 0) & offre.arrets["localise"])
    xy = offre.arrets[["x", "y"]].to_numpy()[quais]
    flux = pd.Categorical(offre.arrets["flux"]).codes
    paires = quais[cKDTree(xy).query_pairs(DISTANCE_DOUBLON_M, output_type="ndarray")]
    differents: NDArray[np.intp] = paires[flux[paires[:, 0]] != flux[paires[:, 1]]]
    return differents


def _constater_arrets_doubles(offre: OffreTransport, constats: list[Constat]) -> None:
    """Compter les arrêts qui figurent dans deux flux ; ils restent reliés à pied."""
    paires = _paires_proches(offre)
    if len(paires):
        noms = offre.arrets["nom"].to_numpy()
        constats.append(
            Constat(
                Gravite.MINEUR,
                "transport.gtfs",
                f"{np.unique(paires[:, 1]).size} arrêt(s) figurent dans deux flux à moins de "
                f"{DISTANCE_DOUBLON_M:.0f} m (par exemple {noms[paires[0, 0]]}) ; ils sont gardés "
                "et reliés à pied.",
            )
        )


def _reperer_courses_doubles(offre: OffreTransport) -> NDArray[np.bool_]:
    """Courses d'un flux déjà données par un flux précédent, bool[courses].

    Deux courses sont la même si leurs premiers et derniers arrêts sont proches, à la même seconde,
    avec le même nombre de passages, et si la seconde ne circule aucun jour où la première ne
    circule pas.
    """
    doublons = np.zeros(offre.nombre_courses, dtype=bool)
    paires = _paires_proches(offre)
    if not len(paires):
        return doublons
    n = offre.nombre_arrets
    graphe = coo_array((np.ones(len(paires)), (paires[:, 0], paires[:, 1])), shape=(n, n))
    lieu = connected_components(graphe, directed=False)[1]
    premier, dernier = offre.passage_debut[:-1], offre.passage_debut[1:] - 1
    cles = pd.DataFrame(
        {
            "a": lieu[offre.passage_arret[premier]],
            "b": lieu[offre.passage_arret[dernier]],
            "depart": offre.passage_depart_s[premier],
            "arrivee": offre.passage_arrivee_s[dernier],
            "passages": dernier - premier,
        }
    )
    groupe = cles.groupby(list(cles.columns), sort=False).ngroup().to_numpy()
    flux = pd.Categorical(offre.courses["flux"], categories=list(offre.flux)).codes
    service = offre.courses["service"].to_numpy()
    originales: dict[int, list[int]] = {}
    repetes = np.flatnonzero(np.bincount(groupe)[groupe] > 1)
    for c in repetes[np.argsort(flux[repetes], kind="stable")]:
        vues = originales.setdefault(int(groupe[c]), [])
        jours = offre.calendrier[service[c]]
        if any(
            flux[o] != flux[c] and not (jours & ~offre.calendrier[service[o]]).any() for o in vues
        ):
            doublons[c] = True
        else:
            vues.append(int(c))
    return doublons
