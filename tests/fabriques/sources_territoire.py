"""Sources d'un petit territoire, écrites dans leurs formats publiés, et leur manifeste."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from tests.fabriques.carte_osm import CRS_CARTE, ORIGINE, CarteOsm

#: Côté du territoire et pas de ses rues, mètres.
COTE_M = 2_000
PAS_M = 200
CODES = ("62001", "62002")


def ecrire_sources(dossier: Path) -> Path:
    """Écrire un territoire de 2 km de côté, deux communes, et rendre son manifeste.

    La commune 62001 est la moitié ouest ; ses 300 habitants et les 100 de 62002 sont dans quatre
    carreaux de 200 m, un par quart. Un café au centre, une mairie et deux praticiens en BPE.
    """
    dossier.mkdir(parents=True, exist_ok=True)
    _ecrire_rues(dossier / "rues.osm.pbf")
    x, y = ORIGINE
    moitie = COTE_M / 2
    communes = gpd.GeoDataFrame(
        {"code": CODES, "nom": ["Ouest", "Est"], "population": [310, 95]},
        geometry=[
            shapely.box(x, y, x + moitie, y + COTE_M),
            shapely.box(x + moitie, y, x + COTE_M, y + COTE_M),
        ],
        crs=CRS_CARTE,
    )
    communes.to_crs(4326).to_file(dossier / "communes.geojson")
    (dossier / "secteurs.csv").write_text(
        "code_commune;secteur\n62001;Nord\n62002;Sud\n", encoding="utf-8"
    )
    _ecrire_carreaux(dossier / "carreaux_200m_met.csv")
    _ecrire_bpe(dossier / "BPE24.csv")
    marches = {"type": "FeatureCollection", "features": []}
    lon, lat = _degres(x + 500, y + 500)
    marches["features"] = [
        {
            "type": "Feature",
            "properties": {"nom": "Marché du samedi"},
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
        }
    ]
    (dossier / "marches.geojson").write_text(json.dumps(marches), encoding="utf-8")
    manifeste = dossier / "territoire.toml"
    manifeste.write_text(
        f"""nom = "Val d'Essai"
crs = "{CRS_CARTE}"
fictif = true
[reseau]
osm = "rues.osm.pbf"
[decoupage]
communes = "communes.geojson"
secteurs = "secteurs.csv"
[population]
fichier = "carreaux_200m_met.csv"
[services]
bpe = "BPE24.csv"
osm = true
fichiers = [{{ service = "marche", fichier = "marches.geojson" }}]
[couches]
marches = "marches.geojson"
""",
        encoding="utf-8",
    )
    return manifeste


def _degres(x: float, y: float) -> tuple[float, float]:
    point = gpd.GeoSeries([shapely.Point(x, y)], crs=CRS_CARTE).to_crs(4326)[0]
    return point.x, point.y


def _ecrire_rues(chemin: Path) -> None:
    """Quadrillage de rues, un café au centre, un parc, une maison de deux niveaux par commune."""
    carte = CarteOsm()
    n = COTE_M // PAS_M + 1
    for ligne in range(n):
        for colonne in range(n):
            carte.noeud(1 + ligne * n + colonne, colonne * PAS_M, ligne * PAS_M)
    for rang in range(n):
        carte.voie(1_000 + rang, [1 + rang * n + c for c in range(n)])
        carte.voie(2_000 + rang, [1 + li * n + rang for li in range(n)])
    carte.noeud(5_000, 1_010, 1_010, amenity="cafe", name="Café du Centre")
    _surface(carte, 6_000, (420, 420), 160, {"leisure": "park", "name": "Parc"})
    _surface(carte, 7_000, (230, 230), 10, {"building": "house", "building:levels": "2"})
    _surface(carte, 8_000, (1_230, 230), 10, {"building": "house", "building:levels": "2"})
    carte.ecrire(chemin)


def _surface(
    carte: CarteOsm, numero: int, coin: tuple[float, float], cote: float, tags: dict[str, str]
) -> None:
    x, y = coin
    sommets = [(x, y), (x + cote, y), (x + cote, y + cote), (x, y + cote)]
    for rang, position in enumerate(sommets):
        carte.noeud(numero + rang, *position)
    carte.voie(numero, [numero, numero + 1, numero + 2, numero + 3, numero], tags)


def _ecrire_carreaux(chemin: Path) -> None:
    """Quatre carreaux LAEA, un par quart, et un cinquième hors du territoire."""
    x, y = ORIGINE
    centres = [(500, 500, 100), (500, 1_500, 200), (1_500, 500, 60), (1_500, 1_500, 40)]
    centres.append((9_000, 500, 999))
    points = gpd.GeoSeries(
        [shapely.Point(x + dx, y + dy) for dx, dy, _ in centres], crs=CRS_CARTE
    ).to_crs(3035)
    identifiants = [
        f"CRS3035RES200mN{int(p.y // 200) * 200}E{int(p.x // 200) * 200}" for p in points
    ]
    pd.DataFrame(
        {
            "idcar_200m": identifiants,
            "i_est_200": [0, 0, 1, 0, 0],
            "ind": [float(h) for _, _, h in centres],
            "men": [float(h) / 2 for _, _, h in centres],
            "ind_80p": [1.0] * 5,
        }
    ).to_csv(chemin, index=False)


def _ecrire_bpe(chemin: Path) -> None:
    x, y = ORIGINE
    lignes = ["AN;DEPCOM;DEP;TYPEQU;LAMBERT_X;LAMBERT_Y;QUALITE_XY;EPSG"]
    for type_equ, dx, dy in (("A129", 400, 400), ("D265", 800, 800), ("D265", 800, 800)):
        lignes.append(f"2024;62001;62;{type_equ};{x + dx:.0f};{y + dy:.0f};B;2154")
    chemin.write_text("\n".join(lignes) + "\n", encoding="utf-8")


def changer_manifeste(avant: str, apres: str) -> Callable[[Path], None]:
    """Faute du manifeste : remplacer un texte, qui doit y être."""

    def changer(dossier: Path) -> None:
        chemin = dossier / "territoire.toml"
        texte = chemin.read_text(encoding="utf-8")
        assert avant in texte
        chemin.write_text(texte.replace(avant, apres), encoding="utf-8")

    return changer


def changer_fichier(nom: str, avant: str, apres: str) -> Callable[[Path], None]:
    def changer(dossier: Path) -> None:
        texte = (dossier / nom).read_text(encoding="utf-8")
        assert avant in texte
        (dossier / nom).write_text(texte.replace(avant, apres), encoding="utf-8")

    return changer


def tronquer(nom: str, part: float) -> Callable[[Path], None]:
    def couper(dossier: Path) -> None:
        octets = (dossier / nom).read_bytes()
        (dossier / nom).write_bytes(octets[: int(part * len(octets))])

    return couper
