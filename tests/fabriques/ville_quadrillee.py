"""Réseaux de rues et territoires d'essai, dont les résultats se prédisent à la main.

La ville quadrillée a des pâtés de maisons carrés : le noeud de la ligne ``l`` et de la colonne
``c`` est ``l * colonnes + c``, et le temps entre deux carrefours est celui de Manhattan. Le réseau
aléatoire réunit, sous une graine, tout ce qui fait trébucher un calcul de plus court temps : sens
uniques, rues parallèles, boucles, rues de longueur nulle, escaliers, coudes, morceaux isolés.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from donnees_geo.configuration import Parametres, Service, SeuilPalier
from donnees_geo.reseau import (
    BITS_ALLER,
    BITS_RETOUR,
    CLASSES_VOIE,
    ESCALIER,
    MARCHE_ALLER,
    MARCHE_RETOUR,
    VELO_ALLER,
    VELO_POUSSE_ALLER,
    VELO_POUSSE_RETOUR,
    VELO_RETOUR,
    VOITURE_ALLER,
    VOITURE_RETOUR,
    ReseauRues,
    longueurs_lignes,
)
from donnees_geo.territoire.modele import Territoire

CRS = "EPSG:2154"
#: Coin sud-ouest des villes : en Lambert-93, loin de l'origine, comme de vraies données.
COIN = (660_000.0, 7_040_000.0)
A_PIED = MARCHE_ALLER | MARCHE_RETOUR
TOUT = sum(BITS_ALLER.values()) + sum(BITS_RETOUR.values())
#: Rue où le vélo et la voiture ne vont que dans le sens de la géométrie.
SENS_UNIQUE = A_PIED | VELO_ALLER | VOITURE_ALLER
MARCHES_ESCALIER = A_PIED | ESCALIER | VELO_POUSSE_ALLER | VELO_POUSSE_RETOUR

Altitude = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Rue:
    """Une rue d'essai : extrémités, droits, sommets intermédiaires (mètres depuis le coin)."""

    origine: int
    destination: int
    acces: int = TOUT
    classe: str = "residential"
    vitesse_kmh: float = np.nan
    sommets: tuple[tuple[float, float], ...] = ()


def construire_reseau(
    noeuds: Sequence[tuple[float, float]], rues: Sequence[Rue], altitude: Altitude | None = None
) -> ReseauRues:
    """Réseau aux noeuds donnés (mètres depuis :data:`COIN`) ; ``altitude(x, y)`` en mètres."""
    position = np.asarray(noeuds, dtype=np.float64).reshape(-1, 2) + COIN
    lignes = [
        np.vstack(
            [
                position[[r.origine]],
                np.asarray(r.sommets, dtype=np.float64).reshape(-1, 2) + COIN,
                position[[r.destination]],
            ]
        )
        for r in rues
    ]
    debut = np.cumsum([0, *(len(ligne) for ligne in lignes)]).astype(np.int64)
    sommets = np.vstack([*lignes, np.empty((0, 2))])
    x, y = sommets[:, 0].copy(), sommets[:, 1].copy()
    return ReseauRues(
        crs=CRS,
        noeud_x=position[:, 0].copy(),
        noeud_y=position[:, 1].copy(),
        noeud_osm=np.arange(len(position), dtype=np.int64),
        troncon_origine=np.array([r.origine for r in rues], dtype=np.int32),
        troncon_destination=np.array([r.destination for r in rues], dtype=np.int32),
        troncon_longueur_m=longueurs_lignes(x, y, debut),
        troncon_way=np.arange(len(rues), dtype=np.int64),
        troncon_classe=np.array([CLASSES_VOIE.index(r.classe) for r in rues], dtype=np.uint8),
        troncon_acces=np.array([r.acces for r in rues], dtype=np.uint16),
        troncon_vitesse_kmh=np.array([r.vitesse_kmh for r in rues], dtype=np.float32),
        troncon_nom=np.full(len(rues), -1, dtype=np.int32),
        noms=(),
        geometrie_debut=debut,
        geometrie_x=x,
        geometrie_y=y,
        geometrie_altitude_m=(
            None if altitude is None else altitude(x - COIN[0], y - COIN[1]).astype(np.float32)
        ),
    )


def ville_quadrillee(
    colonnes: int = 5,
    lignes: int = 5,
    cote_m: float = 100.0,
    *,
    est_ouest_sens_unique: bool = False,
    coude_m: float = 0.0,
    diagonales: bool = False,
    en_plus: Sequence[Rue] = (),
    noeuds_en_plus: Sequence[tuple[float, float]] = (),
    altitude: Altitude | None = None,
) -> ReseauRues:
    """Ville de ``colonnes × lignes`` carrefours.

    Parameters
    ----------
    est_ouest_sens_unique
        Vélos et voitures ne roulent que d'ouest en est dans les rues horizontales.
    coude_m
        Les rues horizontales font un détour de cette hauteur en leur milieu.
    diagonales
        Une diagonale (sud-ouest, nord-est) dans chaque pâté de maisons.
    en_plus, noeuds_en_plus
        Rues et noeuds ajoutés après ceux de la grille (îlot isolé, boucle, rue parallèle…).
    """
    noeuds = [(c * cote_m, ligne * cote_m) for ligne in range(lignes) for c in range(colonnes)]

    def rang(ligne: int, c: int) -> int:
        return ligne * colonnes + c

    rues = []
    for ligne in range(lignes):
        for c in range(colonnes - 1):
            coude = ((c + 0.5) * cote_m, ligne * cote_m + coude_m)
            rues.append(
                Rue(
                    rang(ligne, c),
                    rang(ligne, c + 1),
                    acces=SENS_UNIQUE if est_ouest_sens_unique else TOUT,
                    sommets=(coude,) if coude_m else (),
                )
            )
    for ligne in range(lignes - 1):
        rues += [Rue(rang(ligne, c), rang(ligne + 1, c)) for c in range(colonnes)]
    if diagonales:
        rues += [
            Rue(rang(ligne, c), rang(ligne + 1, c + 1))
            for ligne in range(lignes - 1)
            for c in range(colonnes - 1)
        ]
    return construire_reseau([*noeuds, *noeuds_en_plus], [*rues, *en_plus], altitude)


def reseau_aleatoire(
    graine: int, noeuds: int = 60, cote_m: float = 1500.0, *, relief: bool = True
) -> ReseauRues:
    """Réseau orienté tiré au sort : tous les cas difficiles, reproductible par sa graine."""
    hasard = np.random.default_rng(graine)
    xy = hasard.uniform(0, cote_m, (noeuds, 2))
    # Deux noeuds confondus, joints par une rue de longueur nulle.
    xy[1] = xy[0]
    triangles = Delaunay(xy + hasard.normal(0, 1e-3, xy.shape)).simplices
    paires = np.unique(np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, 1:]]), axis=1), axis=0)
    paires = paires[hasard.random(len(paires)) < 0.75]
    paires = np.vstack([paires, [[0, 1]], paires[:4], [[2, 2], [3, 3]]])
    rues = []
    for rang, (o, d) in enumerate(paires):
        if hasard.random() < 0.5:
            o, d = d, o
        nulle = {int(o), int(d)} == {0, 1}
        sommets = []
        # Une boucle a besoin de sommets pour avoir une longueur.
        for part in () if nulle else np.sort(hasard.random(3 if o == d else rang % 3)):
            milieu = xy[o] + part * (xy[d] - xy[o]) + hasard.normal(0, 20, 2)
            sommets.append((float(milieu[0]), float(milieu[1])))
        rues.append(
            Rue(
                int(o),
                int(d),
                acces=_droits_au_hasard(hasard),
                classe=str(hasard.choice(["residential", "primary", "service", "autre"])),
                vitesse_kmh=float(hasard.choice([np.nan, 20.0, 50.0])),
                sommets=tuple(sommets),
            )
        )
    # Un îlot de trois noeuds, joint à rien.
    loin = [(cote_m + 300.0, 0.0), (cote_m + 400.0, 0.0), (cote_m + 400.0, 80.0)]
    rues += [Rue(noeuds + i, noeuds + (i + 1) % 3) for i in range(3)]

    def altitude(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        z = 30 * np.sin(x / 150) + 20 * np.cos(y / 110)
        z[hasard.random(x.size) < 0.05] = np.nan
        return z

    points = [(float(a), float(b)) for a, b in xy]
    return construire_reseau([*points, *loin], rues, altitude if relief else None)


def _droits_au_hasard(hasard: np.random.Generator) -> int:
    tirage = hasard.random()
    if tirage < 0.1:
        return MARCHES_ESCALIER
    if tirage < 0.2:
        return A_PIED | VELO_POUSSE_ALLER | VELO_POUSSE_RETOUR
    if tirage < 0.3:
        return SENS_UNIQUE | VELO_POUSSE_RETOUR
    if tirage < 0.4:
        return SENS_UNIQUE | VELO_RETOUR
    if tirage < 0.5:
        return MARCHE_ALLER | VELO_RETOUR | VOITURE_RETOUR
    return SENS_UNIQUE if tirage < 0.7 else TOUT


def parametres_essai(**changements: object) -> Parametres:
    """Hypothèses rondes : marche 3,6 km/h (1 m/s), vélo 18 km/h (5 m/s), voiture 36 km/h (10)."""
    valeurs: dict[str, object] = {
        "vitesse_marche_kmh": 3.6,
        "vitesse_marche_senior_kmh": 3.0,
        "vitesse_velo_kmh": 18.0,
        "vitesse_vae_kmh": 21.6,
        "vitesses_voiture_kmh": {"residential": 36.0, "primary": 72.0, "service": 18.0},
        "facteur_congestion_voiture": 1.0,
        "escaliers_velo": "pousse",
        "pente": True,
        "rattachement_max_m": 400.0,
        "composante_min_noeuds": 4,
        "seuils": (
            SeuilPalier("proximite", 900.0, ("marche", "velo")),
            SeuilPalier("intermediaire", 900.0, ("tc",)),
            SeuilPalier("structurant", 1800.0, ("voiture",)),
        ),
        "seuils_isochrone_min": (5.0, 10.0, 15.0),
        "tampon_isochrone_m": 25.0,
        "pas_isochrone_m": 10.0,
        "pas_isochrone_long_m": 20.0,
        "marge_m": None,
        "fenetre_tc_debut_s": 25_200,
        "fenetre_tc_duree_s": 7_200,
        "fenetre_tc_retour_debut_s": 61_200,
        "centiles_tc": (5.0, 50.0, 95.0),
        "centile_tc": 50.0,
        "marche_max_tc_m": 1_000.0,
        "duree_max_tc_s": 3_600.0,
        "trajets_max_tc": 4,
        "embarquement_min_s": 0,
    }
    return Parametres(**(valeurs | changements))  # type: ignore[arg-type]


def service_essai(identifiant: str, palier: str = "proximite") -> Service:
    """Service d'essai, sans code ni tag."""
    return Service(
        id=identifiant,
        libelle=identifiant.replace("_", " "),
        palier=palier,  # type: ignore[arg-type]
        fonction="s_approvisionner",
        codes_bpe=(),
        tags_osm=(),
        tags_osm_exclus=(),
        source="osm",
        surfacique=False,
        distance_doublon_m=30.0,
        couleur="#336699",
    )


def table_carreaux(
    points: Sequence[tuple[float, float]],
    population_hab: Sequence[float],
    communes: Sequence[str],
    cote_m: float = 200.0,
) -> gpd.GeoDataFrame:
    """Carreaux (``schemas.CARREAUX``) centrés sur des points donnés en mètres depuis le coin."""
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2) + COIN
    demi = cote_m / 2
    return gpd.GeoDataFrame(
        {
            "carreau": [f"C{i:04d}" for i in range(len(xy))],
            "population_hab": np.asarray(population_hab, dtype=np.float64),
            "surface_m2": np.full(len(xy), cote_m**2),
            "impute": np.zeros(len(xy), dtype=bool),
            "code_commune": list(communes),
            "x": xy[:, 0],
            "y": xy[:, 1],
        },
        geometry=shapely.box(xy[:, 0] - demi, xy[:, 1] - demi, xy[:, 0] + demi, xy[:, 1] + demi),
        crs=CRS,
    )


def table_communes(
    codes: Sequence[str],
    bassins: Sequence[str] | None = None,
    secteurs: Sequence[str] | None = None,
) -> gpd.GeoDataFrame:
    """Communes (``schemas.COMMUNES``) ; bassin ``B1`` se nomme « Bassin B1 »."""
    bassins = [""] * len(codes) if bassins is None else bassins
    secteurs = [""] * len(codes) if secteurs is None else secteurs
    return gpd.GeoDataFrame(
        {
            "code_commune": list(codes),
            "nom": [f"Commune {c}" for c in codes],
            "population_hab": np.full(len(codes), np.nan),
            "code_bassin_de_vie": list(bassins),
            "bassin_de_vie": [f"Bassin {b}" if b else "" for b in bassins],
            "code_secteur": list(secteurs),
            "secteur": [f"Secteur {s}" if s else "" for s in secteurs],
        },
        geometry=[shapely.box(*COIN, COIN[0] + 1000, COIN[1] + 1000) for _ in codes],
        crs=CRS,
    )


def table_equipements(
    lieux: Sequence[tuple[str, float, float]],
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Équipements et points d'accès : ``(service, x, y)`` en mètres depuis le coin."""
    xy = np.array([lieu[1:] for lieu in lieux], dtype=np.float64).reshape(-1, 2) + COIN
    n = len(lieux)
    equipements = gpd.GeoDataFrame(
        {
            "equipement": [f"E{i}" for i in range(n)],
            "service": pd.array([lieu[0] for lieu in lieux], dtype="str"),
            "nom": [f"Lieu {i}" for i in range(n)],
            "source": ["osm"] * n,
            "id_source": [f"n{i}" for i in range(n)],
            "code_commune": [""] * n,
            "qualite": ["bonne"] * n,
            "effectif": np.ones(n, dtype=np.int32),
        },
        geometry=shapely.points(xy),
        crs=CRS,
    )
    acces = pd.DataFrame({"equipement": np.arange(n, dtype=np.int32), "x": xy[:, 0], "y": xy[:, 1]})
    return equipements, acces


def territoire_essai(**changements: object) -> Territoire:
    """Territoire d'une ville quadrillée de 11 × 11 carrefours de 100 m, dix carreaux habités.

    Les carreaux sont posés sur les carrefours de la première ligne (colonnes 0 à 9) ; la
    boulangerie est au carrefour (0, 0) et l'hôpital au carrefour (0, 10).
    """
    equipements, acces = table_equipements([("boulangerie", 0.0, 0.0), ("hopital", 1000.0, 0.0)])
    territoire = Territoire(
        nom="Ville quadrillée",
        crs=CRS,
        fictif=True,
        dossier=None,
        communes=table_communes(["A0001", "A0002"], ["B1", "B1"], ["S1", "S2"]),
        carreaux=table_carreaux(
            [(100.0 * c, 0.0) for c in range(10)],
            [10.0 * (c + 1) for c in range(10)],
            ["A0001"] * 5 + ["A0002"] * 5,
        ),
        equipements=equipements,
        points_acces=acces,
        reseau=ville_quadrillee(11, 11),
        contour=shapely.box(-100, -100, 1100, 1100),
        services=(
            service_essai("boulangerie"),
            service_essai("cinema"),
            service_essai("hopital", "structurant"),
        ),
        empreinte="0" * 12,
    )
    return replace(territoire, **changements)
