"""Couches thématiques de la page Carte, sans navigateur : réglages, adresses, dépôts."""

from __future__ import annotations

import asyncio
import gc
import io
import json
from dataclasses import dataclass
from urllib.parse import quote

import geopandas as gpd
import pytest
import shapely
from PIL import Image
from starlette.applications import Starlette

from couches.vues import lire_vues, retirer_vue
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from pages._carte.calques import Depots, calques_du_territoire, ouvrir_depots
from pages._carte.calques_voulus import (
    CALQUES_MAX,
    CalqueVoulu,
    deplacer,
    ecrire_calques,
    lire_calques,
    modifier,
)
from pages._carte.depot_fichier import deposer, dire_refus
from pages._carte.rendu import routes
from pages._commun.ouverture import obtenir_partage
from tests.application.test_pages import html, ouvrir

CONNUS = {"friches", "plu", "etudes"}


@pytest.fixture(scope="module")
def partage(dossier_prepare):
    return obtenir_partage(dossier_prepare)


@dataclass
class Reponse:
    status_code: int
    headers: dict[str, str]
    content: bytes

    def json(self):
        return json.loads(self.content)


class Client:
    """Appelle les adresses du visualiseur sans serveur (ASGI)."""

    def __init__(self):
        self.application = Starlette(routes=routes())

    def get(self, adresse):
        return asyncio.run(self._demander(adresse))

    async def _demander(self, adresse):
        chemin, _, requete = adresse.partition("?")
        envois = []

        async def recevoir():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def envoyer(message):
            envois.append(message)

        portee = {
            "type": "http", "method": "GET", "path": chemin, "headers": [], "http_version": "1.1",
            "query_string": quote(requete, safe="=&,:.%-").encode(), "server": ("essai", 80),
            "scheme": "http", "root_path": "", "client": ("essai", 1),
        }  # fmt: skip
        await self.application(portee, recevoir, envoyer)
        entetes = {c.decode(): v.decode() for c, v in envois[0]["headers"]}
        corps = b"".join(m.get("body", b"") for m in envois[1:])
        return Reponse(envois[0]["status"], entetes, corps)


@pytest.fixture(scope="module")
def client():
    return Client()


def test_les_calques_se_lisent_comme_ils_s_ecrivent():
    calques = [CalqueVoulu("friches", 60), CalqueVoulu("etudes", 80, "état, 1:2")]
    texte = ecrire_calques([*calques, CalqueVoulu("depot-1", 50)])
    assert texte.startswith("friches:60,etudes:80:")
    assert "depot" not in texte
    assert lire_calques(texte, CONNUS) == calques


@pytest.mark.parametrize(
    "texte",
    [
        "ovni:80",
        "friches",
        "friches:9",
        "friches:101",
        "friches:-5",
        "friches:80,friches:60",
        "<script>:80",
        "friches:80:" + "x" * 100,
        ",".join(f"c{i}:80" for i in range(CALQUES_MAX + 1)),
    ],
)
def test_des_calques_fautifs_sont_refuses(texte):
    with pytest.raises(ErreurConfiguration):
        lire_calques(texte, CONNUS | {f"c{i}" for i in range(CALQUES_MAX + 1)})


def test_ranger_et_modifier():
    trois = [CalqueVoulu(i) for i in ("a", "b", "c")]
    assert [c.id for c in deplacer(trois, "c", -1)] == ["a", "c", "b"]
    assert [c.id for c in deplacer(trois, "a", -1)] == ["a", "b", "c"]
    assert [c.id for c in deplacer(trois, "absent", 1)] == ["a", "b", "c"]
    change = modifier(trois, "b", opacite=30)
    assert [c.opacite for c in change] == [80, 30, 80]
    assert trois[1].opacite == 80


def test_une_couche_se_coche_s_attenue_se_range_et_se_retrouve(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare)
    page.checkbox(key="case_zones_inondables_reglement").check().run()
    page.checkbox(key="case_commerces").check().run()
    assert not page.exception
    # Les commerces, ponctuels, se posent au-dessus des zones.
    assert page.query_params["calques"] == "commerces:90,zones_inondables_reglement:90"
    page.slider(key="opacite_commerces").set_value(50).run()
    page.button(key="rang_commerces_1").click().run()
    adresse = "zones_inondables_reglement:90,commerces:50"
    assert page.query_params["calques"] == adresse
    consigne = page.get("component_instance")[0].proto.json_args
    assert "/calque.png?calque=commerces" in consigne
    assert "Plan de prévention des risques" in html(page)

    rechargee = ouvrir(monkeypatch, dossier_prepare, calques=adresse)
    assert rechargee.checkbox(key="case_commerces").value
    assert rechargee.slider(key="opacite_commerces").value == 50
    rechargee.button(key="masquer_commerces").click().run()
    assert rechargee.query_params["calques"] == "zones_inondables_reglement:90"
    assert not rechargee.checkbox(key="case_commerces").value


def test_des_calques_d_adresse_inconnus_sont_dits(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare, calques="ovni:80")
    assert not page.exception
    assert "Réglages de l’adresse ignorés" in html(page)
    assert "calques" not in page.query_params


def test_une_vue_enregistree_garde_ses_couches(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare, calques="friches:70")
    page.text_input(key="nom_vue").set_value("Friches").run()
    next(b for b in page.button if b.label == "Enregistrer la vue").click().run()
    try:
        assert lire_vues(dossier_prepare)[-1].reglages["calques"] == "friches:70"
    finally:
        retirer_vue(dossier_prepare, "Friches")


def test_un_fond_d_internet_le_dit(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare)
    assert "demandé à internet" not in html(page)
    page.selectbox(key="r_fond").select("ign").run()
    assert "demandé à internet" in html(page)


def vue(partage, cote=64):
    o, s, e, n = partage.fond.emprise
    return f"emprise={o},{s},{e},{n}&largeur={cote}&hauteur={cote}"


def test_l_image_d_un_calque_et_ses_refus(client, partage):
    racine = f"/rendu/{partage.cle}"
    reponse = client.get(
        f"{racine}/calque.png?calque=zones_inondables_reglement:100&{vue(partage)}"
    )
    assert reponse.status_code == 200
    image = Image.open(io.BytesIO(reponse.content))
    assert image.size == (64, 64)
    assert image.convert("RGBA").getchannel("A").getextrema()[1] > 0
    for fautif in ("ovni:100", "friches", "../secret:100", "depot-1:100"):
        refus = client.get(f"{racine}/calque.png?calque={fautif}&{vue(partage)}")
        assert refus.status_code == 400
        assert refus.json()["message"]


def test_les_objets_sous_le_curseur(client, partage):
    marches = calques_du_territoire(partage)["marches"].table
    point = gpd.GeoSeries([marches.geometry.iloc[0]], crs=marches.crs).to_crs(4326).iloc[0]
    racine = f"/rendu/{partage.cle}/objets.json?calques=marches:100"
    reponse = client.get(f"{racine}&lon={point.x:.6f}&lat={point.y:.6f}&rayon=30")
    assert marches["nom"].iloc[0] in [bloc[0] for bloc in reponse.json()["blocs"]]
    loin = client.get(f"{racine}&lon=0&lat=0&rayon=30")
    assert loin.json() == {"blocs": []}
    assert client.get(f"{racine}&lon=0&lat=0&rayon=-1").status_code == 400


def fichier(partage, **colonnes):
    centre = partage.territoire.contour.representative_point()
    nombre = len(next(iter(colonnes.values())))
    points = [shapely.Point(centre.x + 300 * i, centre.y) for i in range(nombre)]
    table = gpd.GeoDataFrame(colonnes, geometry=points, crs=partage.territoire.crs)
    return table.to_crs(4326).to_json().encode()


def test_un_fichier_depose_n_est_connu_que_de_sa_session(client, partage):
    depots = ouvrir_depots("jeton-a")
    autre = ouvrir_depots("jeton-b")
    depots.numero = 1
    calque, retour = deposer(partage, depots, "Mes_jardins.geojson", fichier(partage, nom=["a"]))
    assert calque.titre == "Mes jardins"
    assert "1 objet sur la carte" in retour.replace("\u00a0", " ")
    assert autre.calques == {}
    assert calque.id not in calques_du_territoire(partage)
    adresse = f"/rendu/{partage.cle}/calque.png?calque={calque.id}:100&{vue(partage)}"
    sienne = client.get(f"{adresse}&session=jeton-a")
    assert sienne.status_code == 200
    assert "private" in sienne.headers["cache-control"]
    assert client.get(f"{adresse}&session=jeton-b").status_code == 400
    assert client.get(adresse).status_code == 400
    del depots, calque
    gc.collect()
    assert client.get(f"{adresse}&session=jeton-a").status_code == 400


def test_les_textes_d_un_fichier_depose_sont_proteges(partage):
    depots = Depots(numero=1)
    _, retour = deposer(
        partage, depots, "<img src=x onerror=alert(1)>.geojson", fichier(partage, nom=["a"])
    )
    assert "<img" not in retour
    with pytest.raises(ErreurDonnees) as levee:
        deposer(partage, depots, "<b>gras.exe", b"x")
    refus = dire_refus(levee.value)
    assert "<b>" not in refus
    assert "Attendu" in refus
    assert "À faire" in refus


def test_deposer_colorer_et_retirer_dans_la_page(dossier_prepare, monkeypatch, partage):
    page = ouvrir(monkeypatch, dossier_prepare)
    contenu = fichier(partage, nom=["a", "b", "c"], type=["x", "y", "x"])
    page.file_uploader[0].set_value(("jardins.geojson", contenu, "application/json")).run()
    assert not page.exception
    assert "« jardins » : 3" in html(page)
    assert page.checkbox(key="case_depot-1").value
    # Propre à la session : rien dans l'adresse.
    assert "calques" not in page.query_params
    page.selectbox(key="colonne_depot-1").select("type").run()
    consigne = json.loads(page.get("component_instance")[0].proto.json_args)["feature_group"]
    assert "depot-1:100:type" in consigne.replace("%3A", ":")
    page.button(key="retirer_depot-1").click().run()
    assert not page.exception
    assert "case_depot-1" not in [c.key for c in page.checkbox]

    page.file_uploader[0].set_value(("mauvais.geojson", b"bonjour", "application/json")).run()
    assert not page.exception
    assert "Fichier refusé. Le contenu du fichier n&#x27;est pas du GeoJSON." in html(page)
    assert "Qui peut rejoindre" in html(page)
