"""Données communes du banc d'essai : un réseau de rues, le même pour tous les moteurs."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from accessibilite.rues.graphe import Graphe, construire_graphe
from accessibilite.rues.profils import construire_profil
from donnees_geo.configuration import lire_parametres
from donnees_geo.conventions import CRS_GEO
from donnees_geo.reseau import ReseauRues, enregistrer_reseau
from donnees_geo.territoire import Territoire

GRAINE: Final = 20260317
CATEGORIES: Final = 25
T = TypeVar("T", bound="np.number[Any]")
#: Taille visée du réseau ; un extrait plus petit est juxtaposé à lui-même.
NOEUDS_VISES: Final = 150_000
NOMBRES_DE_LIEUX: Final = (50, 500)
ENTETE_CALENDRIER: Final = (
    "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
)


@dataclass(frozen=True)
class TailleReseau:
    """Taille du réseau mesuré, écrite à côté des résultats."""

    noeuds: int
    arcs: int
    copies: int


def juxtaposer(reseau: ReseauRues, copies: int) -> ReseauRues:
    """Poser ``copies`` exemplaires du réseau côte à côte, sans les relier.

    Le premier garde ses coordonnées : ses points restent à leur place sur la carte.
    """
    if copies == 1:
        return reseau
    largeur = float(np.ptp(reseau.geometrie_x)) + 10_000.0

    def repeter(colonne: NDArray[T], pas: float = 0) -> NDArray[T]:
        decalage = np.repeat(np.arange(copies) * pas, colonne.size).astype(colonne.dtype)
        somme: NDArray[T] = np.tile(colonne, copies) + decalage
        return somme

    n, sommets = reseau.nombre_noeuds, int(reseau.geometrie_debut[-1])
    altitude = reseau.geometrie_altitude_m
    debuts = repeter(reseau.geometrie_debut[:-1], sommets)
    return replace(
        reseau,
        noeud_x=repeter(reseau.noeud_x, largeur),
        noeud_y=repeter(reseau.noeud_y),
        noeud_osm=repeter(reseau.noeud_osm),
        troncon_origine=repeter(reseau.troncon_origine, n),
        troncon_destination=repeter(reseau.troncon_destination, n),
        troncon_longueur_m=repeter(reseau.troncon_longueur_m),
        troncon_way=repeter(reseau.troncon_way),
        troncon_classe=repeter(reseau.troncon_classe),
        troncon_acces=repeter(reseau.troncon_acces),
        troncon_vitesse_kmh=repeter(reseau.troncon_vitesse_kmh),
        troncon_nom=repeter(reseau.troncon_nom),
        geometrie_debut=np.append(debuts, sommets * copies),
        geometrie_x=repeter(reseau.geometrie_x, largeur),
        geometrie_y=repeter(reseau.geometrie_y),
        geometrie_altitude_m=None if altitude is None else repeter(altitude),
    )


def ecrire_donnees(reseau: ReseauRues, dossier: Path, *, origines: int) -> TailleReseau:
    """Écrire le réseau, le graphe piéton et les demandes tirées au sort (graine fixe).

    Fichiers écrits dans ``dossier`` : ``reseau.npz`` (pour nous), ``graphe.npz`` (arcs CSR),
    ``rues.npz`` (tronçons et géométries, pour les tampons), ``demandes.npz`` (origines, lieux).
    """
    copies = max(1, round(NOEUDS_VISES / reseau.nombre_noeuds))
    premier = reseau.nombre_noeuds
    reseau = juxtaposer(reseau, copies)
    graphe = construire_graphe(reseau, construire_profil(lire_parametres(), "marche"), 50)
    matrice = graphe.vers_matrice("depuis")
    enregistrer_reseau(reseau, dossier / "reseau.npz")
    np.savez(
        dossier / "graphe.npz",
        debut=matrice.indptr,
        cible=matrice.indices,
        temps_s=matrice.data,
        x=reseau.noeud_x,
        y=reseau.noeud_y,
    )
    np.savez(
        dossier / "rues.npz",
        x=reseau.noeud_x,
        y=reseau.noeud_y,
        origine=reseau.troncon_origine,
        destination=reseau.troncon_destination,
        aller_s=graphe.aller_s,
        retour_s=graphe.retour_s,
        geometrie_debut=reseau.geometrie_debut,
        geometrie_x=reseau.geometrie_x,
        geometrie_y=reseau.geometrie_y,
    )
    _ecrire_demandes(graphe, dossier / "demandes.npz", premier, origines)
    return TailleReseau(reseau.nombre_noeuds, int(matrice.nnz), copies)


def _ecrire_demandes(graphe: Graphe, fichier: Path, premier: int, nombre: int) -> None:
    """Tirer des origines dans le premier exemplaire, et des lieux partout."""
    reseau, hasard = graphe.reseau, np.random.default_rng(GRAINE)
    praticables = np.unique(
        np.concatenate(
            [
                reseau.troncon_origine[graphe.raccordable],
                reseau.troncon_destination[graphe.raccordable],
            ]
        )
    )
    origines = hasard.choice(praticables[praticables < premier], nombre, replace=False)
    x, y = reseau.noeud_x[origines], reseau.noeud_y[origines]
    lon, lat = Transformer.from_crs(reseau.crs, CRS_GEO, always_xy=True).transform(x, y)
    lieux: dict[str, Any] = {
        f"lieux_{k}": hasard.choice(praticables, (CATEGORIES, min(k, praticables.size)))
        for k in NOMBRES_DE_LIEUX
    }
    demandes: dict[str, Any] = {"origines": origines, "x": x, "y": y, "lon": lon, "lat": lat}
    np.savez(fichier, **demandes, **lieux)


def ecrire_demandes_tc(territoire: Territoire, fichier: Path, nombre: int) -> None:
    """Tirer des origines au prorata des habitants ; les destinations sont tous les carreaux."""
    carreaux = territoire.carreaux
    habitants = np.nan_to_num(carreaux["population_hab"].to_numpy(dtype=float))
    poids = habitants / habitants.sum() if habitants.any() else None
    tirage = np.random.default_rng(GRAINE).choice(len(carreaux), nombre, p=poids)
    vers = Transformer.from_crs(territoire.crs, CRS_GEO, always_xy=True)
    demandes: dict[str, Any] = {}
    for nom, rangs in (("origine", tirage), ("destination", np.arange(len(carreaux)))):
        x = carreaux["x"].to_numpy(dtype=float)[rangs]
        y = carreaux["y"].to_numpy(dtype=float)[rangs]
        lon, lat = vers.transform(x, y)
        demandes |= {f"{nom}_x": x, f"{nom}_y": y, f"{nom}_lon": lon, f"{nom}_lat": lat}
    np.savez(fichier, **demandes)


def deplier_gtfs(flux: Sequence[Path], dossier: Path) -> list[str]:
    """Déplier les flux GTFS, que les pairs ne lisent pas en zip ; un dossier par flux."""
    dossiers = []
    for numero, archive in enumerate(flux):
        cible = dossier / str(numero)
        cible.mkdir(parents=True)
        with zipfile.ZipFile(archive) as contenu:
            for membre in contenu.infolist():
                nom = Path(membre.filename).name
                if nom.endswith(".txt"):
                    (cible / nom).write_bytes(contenu.read(membre))
        calendrier = cible / "calendar.txt"
        if not calendrier.exists():  # facultatif dans la norme, exigé par ferrobus
            calendrier.write_text(ENTETE_CALENDRIER, encoding="utf-8")
        dossiers.append(str(cible))
    return dossiers
