"""Le client HTTP et le cache face à un serveur local qui se conduit bien, puis mal."""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.telechargement.cache import Cache, dossier_cache_par_defaut
from donnees_geo.telechargement.client import (
    AGENT,
    AdresseAbsente,
    Client,
    ErreurTelechargement,
    Reglages,
    Service,
)
from tests.fabriques.serveur_http import (
    Serveur,
    calculer,
    couper,
    mentir_sur_la_longueur,
    refuser,
    rendre,
    sans_longueur,
    servir,
    trainer,
)

MO = 1024**2


@pytest.fixture
def serveur():
    with servir() as actif:
        yield actif


class Attentes(list[float]):
    """Délais demandés, sans attendre."""

    def dormir(self, secondes: float) -> None:
        self.append(secondes)


@pytest.fixture
def attentes() -> Attentes:
    return Attentes()


@pytest.fixture
def client(attentes) -> Client:
    return Client(Reglages(tentatives=4, lecture_s=0.4), dormir=attentes.dormir)


@pytest.fixture
def cache(tmp_path, client) -> Cache:
    return Cache(tmp_path / "cache", client)


def zip_de(contenu: bytes = b"a;b\n1;2\n", nom: str = "t.csv") -> bytes:
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w") as archive:
        archive.writestr(zipfile.ZipInfo(nom, (2026, 1, 5, 0, 0, 0)), contenu)
    return tampon.getvalue()


#: Assez gros pour que le transfert se fasse en plusieurs blocs ; contenu sans répétition.
GROS = zip_de(b"".join(hashlib.sha256(bytes([i % 256, i // 256])).digest() for i in range(40_000)))


OSM_XML = b'<?xml version="1.0"?>\n<osm version="0.6"><node id="1" lat="45" lon="3"/></osm>\n'
REMARQUE = b'<remark> runtime error: Query timed out in "query" after 181 seconds. </remark></osm>'


def obtenir(cache: Cache, serveur: Serveur, chemin: str, format_attendu: str = "zip", **options):
    options.setdefault("taille_max", 10 * MO)
    return cache.obtenir(serveur.base + chemin, format_attendu, **options)


def test_un_fichier_recu_est_en_cache_avec_son_empreinte(cache, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    objet = obtenir(cache, serveur, "/a.zip")
    assert objet.chemin.read_bytes() == zip_de()
    assert objet.chemin.suffix == ".zip"
    assert objet.sha256 == hashlib.sha256(zip_de()).hexdigest()
    assert (objet.taille_octets, objet.provenance) == (len(zip_de()), "neuf")
    assert objet.etag
    assert objet.modifie.endswith("2026 08:00:00 GMT")
    assert serveur.requetes[0].entetes["User-Agent"] == AGENT


def test_rien_n_est_telecharge_deux_fois_entre_deux_executions(tmp_path, client, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    obtenir(Cache(tmp_path, client), serveur, "/a.zip")
    deuxieme = obtenir(Cache(tmp_path, client), serveur, "/a.zip")
    assert deuxieme.provenance == "cache"
    assert serveur.chemins() == ["/a.zip"]


def test_hors_ligne_le_cache_repond_et_rien_d_autre(tmp_path, client, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    obtenir(Cache(tmp_path, client), serveur, "/a.zip")
    hors_ligne = Cache(tmp_path, None)
    assert obtenir(hors_ligne, serveur, "/a.zip").chemin.read_bytes() == zip_de()
    with pytest.raises(ErreurTelechargement, match="Hors ligne"):
        obtenir(hors_ligne, serveur, "/b.zip")
    assert serveur.chemins() == ["/a.zip"]


def test_rafraichir_ne_recoit_rien_si_rien_n_a_change(tmp_path, client, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    obtenir(Cache(tmp_path, client), serveur, "/a.zip")
    objet = obtenir(Cache(tmp_path, client, rafraichir=True), serveur, "/a.zip")
    assert objet.provenance == "inchange"
    assert "If-None-Match" in serveur.requetes[-1].entetes
    serveur.contenus["/a.zip"] = zip_de(b"neuf")
    change = Cache(tmp_path, client, rafraichir=True)
    assert obtenir(change, serveur, "/a.zip").provenance == "change"
    assert obtenir(change, serveur, "/a.zip").chemin.read_bytes() == zip_de(b"neuf")
    assert len(serveur.requetes) == 3  # une seule vérification par exécution


def test_rafraichir_sans_etiquette_compare_les_octets(tmp_path, client, serveur):
    serveur.etiquettes = False
    serveur.contenus["/a.zip"] = zip_de()
    obtenir(Cache(tmp_path, client), serveur, "/a.zip")
    objet = obtenir(Cache(tmp_path, client, rafraichir=True), serveur, "/a.zip")
    assert objet.provenance == "inchange"


@pytest.mark.parametrize(
    ("code", "delais"),
    [
        (500, [1.0, 2.0]),
        (502, [1.0, 2.0]),
        (503, [1.0, 2.0]),
        (429, [15.0, 30.0]),  # trop demandé : on s'efface plus longtemps
        (504, [15.0, 30.0]),
    ],
)
def test_un_incident_passager_est_reessaye_de_plus_en_plus_tard(
    code, delais, cache, serveur, attentes
):
    serveur.contenus["/a.zip"] = zip_de()
    serveur.fautes["/a.zip"] = [refuser(code), refuser(code)]
    assert obtenir(cache, serveur, "/a.zip").provenance == "neuf"
    assert attentes == delais


def test_le_delai_demande_par_le_serveur_est_respecte(cache, serveur, attentes):
    serveur.contenus["/a.zip"] = zip_de()
    serveur.fautes["/a.zip"] = [refuser(429, Retry_After="7")]
    obtenir(cache, serveur, "/a.zip")
    assert attentes == [7.0]


def test_le_delai_peut_etre_une_date(cache, serveur, attentes):
    serveur.contenus["/a.zip"] = zip_de()
    dans_une_minute = datetime.now(UTC) + timedelta(seconds=60)
    date_http = email.utils.format_datetime(dans_une_minute, usegmt=True)
    serveur.fautes["/a.zip"] = [refuser(503, Retry_After=date_http)]
    obtenir(cache, serveur, "/a.zip")
    assert 50 < attentes[0] <= 60


def test_un_delai_d_une_heure_fait_renoncer(cache, serveur, attentes):
    serveur.contenus["/a.zip"] = zip_de()
    serveur.fautes["/a.zip"] = [refuser(429, Retry_After="3600")]
    with pytest.raises(ErreurTelechargement, match="attendre trop longtemps") as faute:
        obtenir(cache, serveur, "/a.zip")
    assert "3600 s" in str(faute.value)
    assert attentes == []


def test_une_panne_durable_est_dite_apres_tous_les_essais(cache, serveur, attentes):
    serveur.contenus["/a.zip"] = zip_de()
    serveur.fautes["/a.zip"] = [refuser(500)] * 9
    with pytest.raises(ErreurTelechargement, match="après 4 essais") as faute:
        obtenir(cache, serveur, "/a.zip")
    assert "HTTP 500" in str(faute.value)
    assert attentes == [1.0, 2.0, 4.0]
    assert serveur.chemins() == ["/a.zip"] * 4


@pytest.mark.parametrize(
    ("code", "message"), [(403, "refuse de donner ce fichier"), (404, "plus à cette adresse")]
)
def test_un_refus_net_n_est_pas_reessaye(code, message, cache, serveur, attentes):
    serveur.contenus["/a.zip"] = zip_de()
    serveur.fautes["/a.zip"] = [refuser(code)]
    with pytest.raises(ErreurTelechargement, match=message) as faute:
        obtenir(cache, serveur, "/a.zip")
    assert isinstance(faute.value, AdresseAbsente) == (code == 404)
    assert faute.value.conseil
    assert attentes == []
    assert len(serveur.requetes) == 1


def test_un_transfert_coupe_reprend_ou_il_en_etait(cache, serveur):
    serveur.contenus["/a.zip"] = GROS
    serveur.fautes["/a.zip"] = [couper(800_000)]
    assert obtenir(cache, serveur, "/a.zip").chemin.read_bytes() == GROS
    reprise = serveur.requetes[1].entetes["Range"]
    deja = int(reprise.removeprefix("bytes=").rstrip("-"))
    assert 0 < deja <= 800_000


def test_un_transfert_interrompu_reprend_a_l_execution_suivante(tmp_path, attentes, serveur):
    serveur.contenus["/a.zip"] = GROS
    serveur.fautes["/a.zip"] = [couper(600_000)]
    presse = Client(Reglages(tentatives=1), dormir=attentes.dormir)
    with pytest.raises(ErreurTelechargement, match="ce qui est reçu est gardé"):
        obtenir(Cache(tmp_path, presse), serveur, "/a.zip")
    assert obtenir(Cache(tmp_path, presse), serveur, "/a.zip").chemin.read_bytes() == GROS
    assert "Range" in serveur.requetes[1].entetes


def test_un_fichier_change_entre_temps_est_repris_du_debut(tmp_path, attentes, serveur):
    serveur.contenus["/a.zip"] = GROS
    serveur.fautes["/a.zip"] = [couper(600_000)]
    presse = Client(Reglages(tentatives=1), dormir=attentes.dormir)
    with pytest.raises(ErreurTelechargement):
        obtenir(Cache(tmp_path, presse), serveur, "/a.zip")
    autre = zip_de(GROS[:500_000][::-1])
    serveur.contenus["/a.zip"] = autre
    assert obtenir(Cache(tmp_path, presse), serveur, "/a.zip").chemin.read_bytes() == autre


def test_sans_reprise_possible_tout_est_redemande(cache, serveur):
    serveur.plages = False
    serveur.contenus["/a.zip"] = GROS
    serveur.fautes["/a.zip"] = [couper(800_000)]
    assert obtenir(cache, serveur, "/a.zip").chemin.read_bytes() == GROS


def test_sans_etiquette_la_reprise_serait_risquee(cache, serveur):
    serveur.etiquettes = False
    serveur.contenus["/a.zip"] = GROS
    serveur.fautes["/a.zip"] = [couper(800_000)]
    assert obtenir(cache, serveur, "/a.zip").chemin.read_bytes() == GROS
    assert all("Range" not in r.entetes for r in serveur.requetes)


def test_une_longueur_trop_grande_est_un_transfert_coupe(cache, serveur, attentes):
    serveur.contenus["/a.zip"] = zip_de()
    serveur.fautes["/a.zip"] = [mentir_sur_la_longueur(50)]
    assert obtenir(cache, serveur, "/a.zip").chemin.read_bytes() == zip_de()
    assert len(attentes) == 1


def test_une_longueur_trop_petite_donne_un_fichier_tronque_refuse(cache, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    serveur.fautes["/a.zip"] = [mentir_sur_la_longueur(-20)]
    with pytest.raises(ErreurDonnees, match="tronqué ou altéré"):
        obtenir(cache, serveur, "/a.zip")
    assert cache.trouver(serveur.base + "/a.zip", "zip") is None
    # Rien de fautif n'est resté : l'essai suivant repart de rien et réussit.
    assert obtenir(cache, serveur, "/a.zip").provenance == "neuf"


def test_un_serveur_muet_est_abandonne_pour_les_autres_fichiers(cache, serveur, attentes):
    serveur.contenus["/a.zip"] = serveur.contenus["/b.zip"] = zip_de()
    serveur.fautes["/a.zip"] = [trainer(0.6)] * 4
    with pytest.raises(ErreurTelechargement, match="après 4 essais") as faute:
        obtenir(cache, serveur, "/a.zip")
    assert "délai dépassé" in str(faute.value)
    with pytest.raises(ErreurTelechargement, match="ne répond pas"):
        obtenir(cache, serveur, "/b.zip")
    assert "/b.zip" not in serveur.chemins()


def test_une_connexion_refusee_est_dite_avec_le_mandataire(cache, attentes):
    with servir() as ferme:
        base = ferme.base
    with pytest.raises(ErreurTelechargement, match="HTTPS_PROXY") as faute:
        cache.obtenir(f"{base}/a.zip", "zip", taille_max=MO)
    assert "connexion impossible" in str(faute.value)
    assert len(attentes) == 3


def test_une_redirection_est_suivie(cache, serveur):
    serveur.contenus["/b.zip"] = zip_de()
    serveur.redirections["/a"] = f"{serveur.base}/b.zip"
    assert obtenir(cache, serveur, "/a").chemin.read_bytes() == zip_de()


def test_une_redirection_sans_fin_est_refusee(cache, serveur, attentes):
    serveur.redirections["/a"] = f"{serveur.base}/a"
    with pytest.raises(ErreurTelechargement, match="inutilisable"):
        obtenir(cache, serveur, "/a")
    assert attentes == []


def test_une_page_html_n_est_pas_une_donnee(cache, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    page = b"<!DOCTYPE html><html><title>Site en maintenance</title></html>"
    serveur.fautes["/a.zip"] = [rendre(page)]
    with pytest.raises(ErreurDonnees, match="page web") as faute:
        obtenir(cache, serveur, "/a.zip")
    assert "Site en maintenance" in str(faute.value)
    assert not list(cache.dossier.rglob("contenu.*"))


@pytest.mark.parametrize(
    ("format_attendu", "recu", "message"),
    [
        ("zip", b"\x89PNG\r\n\x1a\n" + b"0" * 50, "pas du format attendu"),
        ("7z", zip_de(), "pas du format attendu"),
        ("osm.pbf", b"\0" * 80, "pas un extrait OSM"),
        ("csv", b"PK\x03\x04\0\0\0\0", "pas un texte"),
        ("csv", b"", "fichier vide"),
        ("geojson", b'{"type": "FeatureCollection", "features": [{', "tronqué"),
        ("json", b"[1, 2", "tronqué"),
        ("zip", GROS[: len(GROS) // 2], "tronqué"),
        ("csv.gz", gzip.compress(GROS)[:-200], "tronqué"),
        ("csv.gz", gzip.compress(b"a,b\n")[:-1] + b"\xff", "tronqué"),
        ("7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 30, "tronqué"),
        ("osm", b'{"elements": []}', "pas un extrait OSM"),
        ("osm", OSM_XML[: len(OSM_XML) // 2], "tronqué"),
        ("osm", OSM_XML.replace(b"</osm>", REMARQUE), "timed out"),
    ],
    ids=[  # explicites : un nom tiré des octets contiendrait l'heure que gzip y écrit
        "image",
        "zip_pour_7z",
        "zeros",
        "zip_pour_csv",
        "vide",
        "geojson_coupe",
        "json_coupe",
        "zip_coupe",
        "gzip_coupe",
        "gzip_somme_fausse",
        "7z_coupe",
        "osm_json",
        "osm_coupe",
        "osm_interrompu",
    ],
)
def test_un_contenu_fautif_n_entre_pas_dans_le_cache(format_attendu, recu, message, cache, serveur):
    # Sans longueur annoncée, rien ne distingue un transfert coupé d'un fichier complet.
    serveur.contenus["/x"] = recu
    serveur.fautes["/x"] = [sans_longueur()]
    with pytest.raises(ErreurDonnees, match=message) as faute:
        obtenir(cache, serveur, "/x", format_attendu)
    assert f"{serveur.base}/x" in str(faute.value)
    assert cache.trouver(f"{serveur.base}/x", format_attendu) is None


def test_un_fichier_plus_gros_que_prevu_est_refuse(cache, serveur):
    serveur.contenus["/a.zip"] = GROS
    with pytest.raises(ErreurTelechargement, match="plus gros que prévu"):
        obtenir(cache, serveur, "/a.zip", taille_max=1000)
    serveur.fautes["/b.zip"] = [sans_longueur()]
    serveur.contenus["/b.zip"] = GROS
    with pytest.raises(ErreurTelechargement, match="plus gros que prévu"):
        obtenir(cache, serveur, "/b.zip", taille_max=300_000)
    assert not list(cache.dossier.rglob("partiel*"))


def compresser(octets: int | None = None):
    """Répondre en gzip, avec une étiquette ; n'en envoyer que ``octets`` octets."""

    def agir(reponse, contenu):
        corps = gzip.compress(contenu)
        reponse.entetes(200, {"Content-Encoding": "gzip", "ETag": '"x"'}, len(corps))
        reponse.wfile.write(corps[:octets])
        if octets is not None:
            reponse.rompre()

    return agir


def test_un_serveur_qui_compresse_malgre_tout_est_compris(cache, serveur):
    texte = json.dumps({"features": ["é" * 5000]}).encode()
    serveur.contenus["/a.json"] = texte
    serveur.fautes["/a.json"] = [compresser()]
    assert obtenir(cache, serveur, "/a.json", "json").chemin.read_bytes() == texte


def test_une_reponse_compressee_coupee_n_est_pas_reprise_au_milieu(cache, serveur):
    serveur.contenus["/a.zip"] = GROS
    serveur.fautes["/a.zip"] = [compresser(len(GROS) // 2)]
    assert obtenir(cache, serveur, "/a.zip").chemin.read_bytes() == GROS
    assert [r.entetes.get("Range") for r in serveur.requetes] == [None, None]


def test_un_service_recoit_sa_requete_compressee_et_le_temps_de_calculer(cache, serveur):
    serveur.contenus["/calcul"] = OSM_XML
    serveur.fautes["/calcul"] = [calculer(1.0)]  # le client n'attend d'ordinaire que 0,4 s
    objet = obtenir(cache, serveur, "/calcul", "osm", service=Service(20.0, compresse=True))
    assert objet.chemin.read_bytes() == OSM_XML
    (requete,) = serveur.requetes
    assert requete.entetes["Accept-Encoding"] == "gzip"
    assert "demi-heure" in requete.entetes["User-Agent"]


def test_la_somme_publiee_a_cote_du_fichier_est_verifiee(cache, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    bonne = hashlib.md5(zip_de(), usedforsecurity=False).hexdigest()
    serveur.contenus["/a.zip.md5"] = b"0" * 32 + b"  a.zip\n"
    with pytest.raises(ErreurDonnees, match="somme de contrôle publiée") as faute:
        obtenir(cache, serveur, "/a.zip", suffixe_somme=".md5")
    assert bonne in str(faute.value)
    serveur.contenus["/a.zip.md5"] = f"{bonne}  a.zip\n".encode()
    assert obtenir(cache, serveur, "/a.zip", suffixe_somme=".md5").provenance == "neuf"


@pytest.mark.parametrize("somme", [None, b"<html>404</html>"])
def test_une_somme_absente_ne_perd_pas_le_fichier(somme, cache, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    if somme is not None:
        serveur.contenus["/a.zip.md5"] = somme
    assert obtenir(cache, serveur, "/a.zip", suffixe_somme=".md5").provenance == "neuf"


def test_une_somme_annoncee_par_le_catalogue_est_verifiee(cache, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    with pytest.raises(ErreurDonnees, match="somme de contrôle publiée"):
        obtenir(cache, serveur, "/a.zip", somme=("sha1", "0" * 40))


def test_un_objet_de_cache_abime_est_redemande(tmp_path, client, serveur):
    serveur.contenus["/a.zip"] = zip_de()
    objet = obtenir(Cache(tmp_path, client), serveur, "/a.zip")
    objet.chemin.write_bytes(zip_de()[:-5])
    assert obtenir(Cache(tmp_path, client), serveur, "/a.zip").provenance == "neuf"


def test_mesurer_demande_la_taille_sans_recevoir(client, serveur):
    serveur.contenus["/a.zip"] = GROS
    assert client.mesurer(f"{serveur.base}/a.zip") == len(GROS)
    assert client.mesurer(f"{serveur.base}/absent") is None
    assert serveur.chemins() == []


@pytest.mark.parametrize("adresse", ["file:///etc/passwd", "ftp://exemple.fr/a", "sans-schema"])
def test_seul_http_est_admis(adresse, cache):
    with pytest.raises(ErreurTelechargement, match="http://"):
        cache.obtenir(adresse, "csv", taille_max=MO)


def test_le_dossier_de_cache_se_choisit_par_l_environnement(monkeypatch, tmp_path):
    monkeypatch.setenv("DEMI_HEURE_CACHE", str(tmp_path))
    assert dossier_cache_par_defaut() == tmp_path
    monkeypatch.delenv("DEMI_HEURE_CACHE")
    assert dossier_cache_par_defaut() != Path.cwd()
    assert dossier_cache_par_defaut().name == "demi-heure"
