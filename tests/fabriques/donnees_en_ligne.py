"""Les sources du catalogue, dans leurs formats publiés, d'après le territoire fictif.

Autour des données du territoire, chaque fichier national porte des lignes d'ailleurs ; le voisin
« 99 » n'est touché que par la marge.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import py7zr
import rasterio
import shapely
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT

from donnees_geo.osm.decoupe import decouper_extraits
from donnees_geo.telechargement.catalogue import CHEMIN_DEFAUT
from tests.fabriques import overpass
from tests.fabriques.serveur_http import Requete, Serveur

EPCI = "000000001"
NOM = "CC du Val d'Orvenne (fictive)"
VOISIN = "99"
INSEE = "/www.insee.fr/fr/statistiques/fichier/"
GEO = "/geo.api.gouv.fr"
GEOFABRIK = "/download.geofabrik.de/europe/france"
DATAGOUV = "/www.data.gouv.fr/api/1/datasets"
GEORISQUES = "/files.georisques.fr"
TRANSPORT = "/transport.data.gouv.fr"
WFS = "/data.geopf.fr/wfs/ows"
CHEMIN_BPE = f"{INSEE}8217525/BPE25.zip"
CHEMIN_CARREAUX = f"{INSEE}8735162/Filosofi2021_carreaux_200m_csv.zip"
CHEMIN_FRICHES = "/static.data.gouv.fr/friches-standard-2026.csv"
CHEMIN_COMMUNES = f"{GEO}/epcis/{EPCI}/communes"


def ecrire_catalogue_local(serveur: Serveur, chemin: Path) -> Path:
    """Le catalogue du programme, ses adresses menées au serveur local.

    S'y ajoutent les deux départements fictifs, que Geofabrik ne connaît pas.
    """
    texte = CHEMIN_DEFAUT.read_text(encoding="utf-8")
    texte = re.sub(r'"https://(?=[^"]*")', f'"{serveur.base}/', texte)
    # Les pages que lit un humain gardent leur adresse.
    texte = re.sub(rf'(?m)^page = "{re.escape(serveur.base)}/', 'page = "https://', texte)
    regions = '[regions_geofabrik]\nval-ouest = ["00"]\nval-est = ["99"]\n'
    chemin.write_text(texte.replace("[regions_geofabrik]\n", regions), encoding="utf-8")
    return chemin


def publier(serveur: Serveur, demo: Path, dossier: Path) -> None:
    """Mettre en ligne toutes les sources du territoire fictif."""
    communes = gpd.read_file(demo / "communes.geojson")
    _publier_decoupage(serveur, communes)
    _publier_osm(serveur, demo, dossier)
    _publier_population(serveur, demo, dossier)
    _publier_bpe(serveur, demo)
    _publier_transport(serveur, demo)
    _publier_relief(serveur, demo)
    _publier_risques(serveur, demo)
    _publier_friches(serveur, demo)
    _publier_sirene(serveur, communes)
    _publier_quartiers(serveur, communes, dossier)
    _publier_urbanisme(serveur, communes)


def geojson(table: gpd.GeoDataFrame) -> bytes:
    return table.to_crs(4326).to_json(drop_id=True).encode()


def zipper(membres: dict[str, bytes]) -> bytes:
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w") as archive:
        for nom, contenu in membres.items():
            membre = zipfile.ZipInfo(nom, (2026, 1, 5, 0, 0, 0))  # mêmes octets à toute heure
            archive.writestr(membre, contenu, zipfile.ZIP_DEFLATED)
    return tampon.getvalue()


def _publier_decoupage(serveur: Serveur, communes: gpd.GeoDataFrame) -> None:
    ouest, sud, est, nord = communes.total_bounds
    siennes = communes.assign(codeEpci=EPCI, codeDepartement="00", codeRegion="00")
    serveur.contenus[f"{GEO}/epcis/{EPCI}"] = json.dumps({"nom": NOM, "code": EPCI}).encode()
    serveur.contenus[CHEMIN_COMMUNES] = geojson(siennes)
    # Le département 99 commence à 2 km à l'est des communes ; le 98 est hors de la marge.
    limite = est + 0.025
    departements = gpd.GeoDataFrame(
        {"code": ["00", VOISIN, "98"], "nom": ["Orvenne", "Voisin", "Loin"], "region": "00"},
        geometry=[
            shapely.box(ouest - 1, sud - 1, limite, nord + 1),
            shapely.box(limite, sud - 1, limite + 1, nord + 1),
            shapely.box(limite + 1, sud - 1, limite + 2, nord + 1),
        ],
        crs=4326,
    )
    contours = "/etalab-datasets.geo.data.gouv.fr/contours-administratifs/2025/geojson/"
    serveur.contenus[f"{contours}departements-100m.geojson"] = geojson(departements)
    voisine = gpd.GeoDataFrame(
        {"code": ["99001"], "nom": ["Voisinval"], "population": [500], "codeEpci": ["000000002"]},
        geometry=[shapely.box(limite, sud, limite + 0.05, nord)],
        crs=4326,
    )
    serveur.contenus[f"{GEO}/departements/00/communes"] = geojson(siennes)
    serveur.contenus[f"{GEO}/departements/{VOISIN}/communes"] = geojson(voisine)
    classeur = openpyxl.Workbook()
    feuille = classeur.active
    feuille.title = "Composition_communale"
    for _ in range(5):
        feuille.append(["Base des bassins de vie 2022"])
    feuille.append(["CODGEO", "LIBGEO", "BV2022", "LIBBV2022", "TYPE_COM", "DEP", "REG"])
    for rang, code in enumerate([*communes["code"], "62119"]):
        pole = communes["code"].iloc[rang % 3]
        feuille.append([code, "x", pole, f"Bassin {rang % 3}", "1", code[:2], "00"])
    tampon = io.BytesIO()
    classeur.save(tampon)
    serveur.contenus[f"{INSEE}6676988/BV2022_au_01-01-2025.zip"] = zipper(
        {"BV2022_au_01-01-2025.xlsx": tampon.getvalue()}
    )


def _publier_osm(serveur: Serveur, demo: Path, dossier: Path) -> None:
    """Deux extraits régionaux qui partagent une bande, comme chez Geofabrik ; et Overpass."""
    source = demo / "orvenne.osm.pbf"
    serveur.contenus[overpass.CHEMIN] = overpass.servir_overpass(source)
    for region, (ouest, est) in {"ouest": (-10.0, -3.46), "est": (-3.48, 10.0)}.items():
        extrait = dossier / f"{region}.osm.pbf"
        decouper_extraits([source], (ouest, 40.0, est, 50.0), extrait)
        chemin = f"{GEOFABRIK}/val-{region}-latest.osm.pbf"
        contenu = extrait.read_bytes()
        serveur.contenus[chemin] = contenu
        somme = hashlib.md5(contenu, usedforsecurity=False).hexdigest()
        serveur.contenus[f"{chemin}.md5"] = f"{somme}  val-{region}.osm.pbf\n".encode()


def _publier_population(serveur: Serveur, demo: Path, dossier: Path) -> None:
    """Zip contenant un 7z contenant les CSV, comme à l'INSEE."""
    carreaux = gpd.read_file(demo / "carreaux_200m_met.gpkg").drop(columns="geometry")
    ailleurs = carreaux.iloc[:50].assign(
        idcar_200m=[f"CRS3035RES200mN2889{r:02d}00E3763200" for r in range(50)]
    )
    interieur = dossier / "carreaux.7z"
    with py7zr.SevenZipFile(interieur, "w") as archive:
        for nom, table in {"met": pd.concat([carreaux, ailleurs]), "mart": ailleurs}.items():
            fichier = dossier / f"carreaux_200m_{nom}.csv"
            table.to_csv(fichier, index=False)
            archive.write(fichier, fichier.name)
    serveur.contenus[CHEMIN_CARREAUX] = zipper(
        {"Filosofi2021_carreaux_200m_csv.7z": interieur.read_bytes()}
    )


def _publier_bpe(serveur: Serveur, demo: Path) -> None:
    """BPE nationale : le territoire, Paris, un voisin hors de la marge, et le dictionnaire."""
    bpe = pd.read_csv(demo / "BPE24.csv", sep=";", dtype="str", keep_default_na=False)
    paris = bpe.iloc[:40].assign(DEPCOM="75101", DEP="75", LAMBERT_X="650789", LAMBERT_Y="6863118")
    loin = bpe.iloc[:10].assign(LAMBERT_X="300000")
    national = pd.concat([paris, bpe, loin])
    serveur.contenus[CHEMIN_BPE] = zipper(
        {
            "BPE25.csv": national.to_csv(sep=";", index=False, quoting=1).encode(),
            "BPE25_anonymisee_varmod.csv": b"COD_VAR;LIB_VAR\nAN;Annee\n",
        }
    )


def jeu_transport(titre: str, insee: str, adresse: str, **ressource: object) -> dict[str, object]:
    """Un jeu de ``/api/datasets`` à une ressource GTFS."""
    return {
        "id": titre,
        "slug": titre.lower().replace(" ", "-"),
        "title": titre,
        "type": "public-transit",
        "covered_area": [{"insee": insee, "nom": "ressort", "type": "epci"}],
        "resources": [
            {
                "id": 1,
                "format": "GTFS",
                "title": "GTFS",
                "url": adresse,
                "original_url": adresse,
                "is_available": True,
                "metadata": {"start_date": "2026-01-01", "end_date": "2026-12-31"},
                **ressource,
            }
        ],
    }


def _publier_transport(serveur: Serveur, demo: Path) -> None:
    fichiers = {
        "bus": (demo / "bus.zip").read_bytes(),
        "train": (demo / "train.zip").read_bytes(),
        "ailleurs": _deplacer_arrets((demo / "train.zip").read_bytes()),
    }
    for nom, contenu in fichiers.items():
        serveur.contenus[f"/reseaux.example/{nom}.zip"] = contenu
    bus = f"{serveur.base}{TRANSPORT}/resources/1/download"
    serveur.redirections[f"{TRANSPORT}/resources/1/download"] = (
        f"{serveur.base}/reseaux.example/bus.zip"
    )
    adresse = f"{serveur.base}/reseaux.example/"
    perime = {"end_date": "2024-08-31"}
    jeux = [
        jeu_transport("Bus du Val", EPCI, bus),
        jeu_transport("Trains", "FR", f"{adresse}train.zip"),
        jeu_transport("Trains agreges", "00", f"{adresse}train.zip?copie=1"),
        jeu_transport("Cars du voisin", "000000002", f"{adresse}ailleurs.zip"),
        jeu_transport("Cars perimes", EPCI, f"{adresse}vieux.zip", metadata=perime),
        jeu_transport("FlixBus Europe", "FR", f"{adresse}flixbus.zip"),
        jeu_transport("Bus de Marseille", "200054807", f"{adresse}marseille.zip"),
        jeu_transport("Temps reel du Val", EPCI, f"{adresse}rt", format="gtfs-rt"),
    ]  # fmt: skip
    serveur.contenus[f"{TRANSPORT}/api/datasets"] = json.dumps(jeux).encode()


def _deplacer_arrets(gtfs: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(gtfs)) as archive:
        membres = {nom: archive.read(nom) for nom in archive.namelist()}
    arrets = pd.read_csv(io.BytesIO(membres["stops.txt"]), dtype="str")
    membres["stops.txt"] = arrets.assign(stop_lat="43.30").to_csv(index=False).encode()
    return zipper(membres)


def _publier_relief(serveur: Serveur, demo: Path) -> None:
    """Service d'images : GeoTIFF de l'enveloppe et de la taille demandées."""

    def dalle(requete: Requete) -> bytes | None:
        p = requete.parametres
        xmin, _, _, ymax = (float(v) for v in p["BBOX"].split(","))
        largeur, hauteur = int(p["WIDTH"]), int(p["HEIGHT"])
        options = {
            "crs": p["CRS"],
            "transform": from_origin(xmin, ymax, 25.0, 25.0),
            "width": largeur,
            "height": hauteur,
            "nodata": -9999.0,
        }
        with (
            rasterio.open(demo / "mnt.tif") as mnt,
            WarpedVRT(mnt, resampling=Resampling.bilinear, **options) as vue,
        ):
            altitudes = vue.read(1)
        # Le service de l'IGN remplit le vide par -99999, sans le déclarer.
        altitudes = np.where(altitudes == -9999.0, np.float32(-99999.0), altitudes)
        with MemoryFile() as memoire:
            profil = options | {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": None}
            with memoire.open(**profil) as sortie:
                sortie.write(altitudes, 1)
            return bytes(memoire.read())

    serveur.contenus["/data.geopf.fr/wms-r/wms"] = dalle


def _publier_risques(serveur: Serveur, demo: Path) -> None:
    membres = {
        f"tri_2020_sig_di_00/FRX_TRI_ORVE/{f.name}": f.read_bytes()
        for f in sorted((demo / "tri").iterdir())
    }
    # Une couche d'enjeux, que la découpe laisse.
    for f in sorted((demo / "ppr").iterdir()):
        membres[f"tri_2020_sig_di_00/FRX_TRI_ORVE/n_enjeu_s_000{f.suffix}"] = f.read_bytes()
    serveur.contenus[f"{GEORISQUES}/di_2020/tri_2020_sig_di_00.zip"] = zipper(membres)
    gaspar = (
        "CODE MODELE;CODE PROECEDURE;CODE INSEE COMMUNE;NOM COMMUNE;CODE RISQUE 1;CODE RISQUE 2;"
        "CODE RISQUE 2;LIBELLE ETAT\r\n"
        "PPRN-I;00DDT20190001;00003;Hurleval;11;110;;Opposable\r\n"
        "PPRN-I;84DDT20020008;84091;Piolenc;11;110;;Opposable\r\n"
    )
    serveur.contenus[f"{GEORISQUES}/GASPAR/pprn_gaspar.csv"] = gaspar.encode()


def _publier_friches(serveur: Serveur, demo: Path) -> None:
    """Cartofriches : entête de la démo, une friche d'ailleurs, guillemets échappés à la R."""
    friches = pd.read_csv(
        demo / "friches-standard.csv", sep=";", dtype="str", keep_default_na=False
    )
    ailleurs = friches.iloc[:3].assign(comm_insee="08008", site_id="08008_01")
    texte = pd.concat([ailleurs, friches]).to_csv(sep=";", index=False, quoting=1)
    texte = texte.replace('Ancienne usine n° 1"', r'Ancienne usine \"n° 1\""')
    contenu = texte.encode()
    serveur.contenus[CHEMIN_FRICHES] = contenu
    adresse = serveur.base + CHEMIN_FRICHES
    somme = {"type": "sha1", "value": hashlib.sha1(contenu, usedforsecurity=False).hexdigest()}
    jeu = {
        "resources": [
            {"title": "notice.pdf", "url": f"{serveur.base}/notice.pdf", "last_modified": "2026"},
            {
                "title": "friches-standard 2024",
                "url": f"{serveur.base}/friches-standard-2024.csv",
                "last_modified": "2024-05-01",
            },
            {"title": "2026", "url": adresse, "last_modified": "2026-04-29", "checksum": somme},
        ]
    }
    serveur.contenus[f"{DATAGOUV}/sites-references-dans-cartofriches/"] = json.dumps(jeu).encode()


def _publier_sirene(serveur: Serveur, communes: gpd.GeoDataFrame) -> None:
    centres = communes.geometry.representative_point()
    etablissements = pd.DataFrame(
        {
            "siren": "123456789",
            "siret": [f"1234567890{r:04d}" for r in range(len(communes))],
            "statutDiffusionEtablissement": "O",
            "denominationUsuelleEtablissement": "DUPONT JEAN",
            "enseigne1Etablissement": "AU BON PAIN",
            "activitePrincipaleEtablissement": "10.71C",
            "etatAdministratifEtablissement": ["F", *["A"] * (len(communes) - 1)],
            "longitude": centres.x,
            "latitude": centres.y,
            "geo_score": "0.95",
        }
    )
    ailleurs = etablissements.iloc[1:4].assign(siret="9", longitude="5.0", latitude="45.0")
    base = "/files.data.gouv.fr/geo-sirene/last/dep/geo_siret_"
    for departement, table in {"00": etablissements, VOISIN: ailleurs}.items():
        texte = table.to_csv(index=False)
        serveur.contenus[f"{base}{departement}.csv.gz"] = gzip.compress(texte.encode())


def _publier_quartiers(serveur: Serveur, communes: gpd.GeoDataFrame, dossier: Path) -> None:
    centre = communes.geometry.iloc[0].representative_point()
    quartiers = gpd.GeoDataFrame(
        {"code_qp": ["QN00001M", "QN06201M"], "lib_qp": ["Les Peupliers", "Ailleurs"]},
        geometry=[centre.buffer(0.003), shapely.Point(2.6, 50.5).buffer(0.003)],
        crs=4326,
    )
    shp = dossier / "QP2024_France_hexagonale_LB93.shp"
    quartiers.iloc[1:].to_crs(2154).to_file(shp)
    nom = "GEOJSON/QP2024_France_Hexagonale_Outre_Mer_WGS84.geojson"
    membres = {nom: geojson(quartiers)}
    membres |= {f"SHP/{f.name}": f.read_bytes() for f in dossier.glob("QP2024*.*")}
    serveur.contenus[f"{DATAGOUV}/r/942d4ee8-8142-4556-8ea1-335537ce1119"] = zipper(membres)


def _publier_urbanisme(serveur: Serveur, communes: gpd.GeoDataFrame) -> None:
    """WFS paginé : 1 200 petites zones dans l'enveloppe des communes."""
    ouest, sud, est, nord = communes.total_bounds
    cotes = np.arange(1200)
    x = ouest + (est - ouest) * (cotes % 40) / 40
    y = sud + (nord - sud) * (cotes // 40) / 30
    zones = gpd.GeoDataFrame(
        {"gid": cotes, "typezone": np.where(cotes % 2, "U", "AUc"), "libelle": "UA"},
        geometry=np.asarray(shapely.box(x, y, x + 0.001, y + 0.001)),
        crs=4326,
    )

    def page(requete: Requete) -> bytes | None:
        debut, nombre = (int(requete.parametres[c]) for c in ("STARTINDEX", "COUNT"))
        return geojson(zones.iloc[debut : debut + nombre])

    serveur.contenus[WFS] = page
