"""Papier : échelles rondes, textes dans leur place, noms sans collision, PDF complet et stable."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path

import matplotlib.text
import numpy as np
import pytest
import shapely
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import PathPatch
from pypdf import PdfReader

from couches.ecran.etiquettes import Police
from couches.ecran.hors_ligne import lister_police
from couches.papier.atlas import OptionsAtlas, exporter_atlas, exporter_fiches
from couches.papier.carte import ECHELLES, choisir_cadre
from couches.papier.dossier import _bornes_nombre, choisir_theme, composer_dossier
from couches.papier.fiche import composer_fiches
from couches.papier.fiche_manques import _en_minuscules
from couches.papier.fond import construire_fond_papier, tracer
from couches.papier.habillage import dessiner_nord
from couches.papier.image_carte import exporter_image
from couches.papier.mise_en_page import dessiner_fiche
from couches.papier.noms_carte import ecrire_noms
from couches.papier.page import Page, typographier
from couches.papier.polices import preparer_polices
from couches.styles import lire_styles
from couches.themes import Themes, lire_themes
from donnees_geo.erreurs import ErreurConfiguration
from tests.fabriques.territoire_exports import NOM_BALISE, NOM_LONG, ecrire_themes, etude_exports
from tests.fabriques.ville_quadrillee import COIN

JOUR = date(2026, 3, 1)
DEJAVU = preparer_polices(Police(), Path())


@pytest.fixture
def page():
    return Page.ouvrir("A4", DEJAVU)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(50, 80_000),
    st.floats(50, 80_000),
    st.sampled_from(("A4", "A3")),
)
def test_cadre_rond_centre_et_complet(largeur_m, hauteur_m, format_page):
    page = Page.ouvrir(format_page, DEJAVU)
    bornes = (1000.0, 2000.0, 1000.0 + largeur_m, 2000.0 + hauteur_m)
    cadre = choisir_cadre(page, (12.0, 71.0, 140.0, 89.0), bornes)
    ouest, sud, est, nord = cadre.emprise
    assert cadre.echelle in ECHELLES
    assert ouest <= bornes[0] and sud <= bornes[1] and est >= bornes[2] and nord >= bornes[3]
    assert (ouest + est) / 2 == pytest.approx(1000 + largeur_m / 2)
    # Sur le papier, 1 mm vaut bien « échelle » mm du terrain.
    reel_mm = 140.0 * page.agrandissement
    assert (est - ouest) * 1000 / reel_mm == pytest.approx(cadre.echelle)


def test_cadre_prend_la_plus_grande_echelle_possible(page):
    # 140 mm au 1:10 000 font 1 400 m ; 1 250 m et 4 % de marge de chaque côté en demandent 1 350.
    assert choisir_cadre(page, (0, 0, 140.0, 140.0), (0, 0, 1250, 10)).echelle == 10_000
    assert choisir_cadre(page, (0, 0, 140.0, 140.0), (0, 0, 1300, 10)).echelle == 12_500


def test_point_du_terrain_a_sa_place_sur_la_page(page):
    cadre = choisir_cadre(page, (10.0, 20.0, 100.0, 50.0), (0, 0, 100, 100))
    ouest, sud, est, nord = cadre.emprise
    assert cadre.vers_page(ouest, nord) == pytest.approx((10.0, 20.0))
    assert cadre.vers_page(est, sud) == pytest.approx((110.0, 70.0))


def test_nord_pointe_vers_le_haut(page):
    dessiner_nord(page, 50.0, 100.0, 8.0)
    demi_fleches = [a for a in page.toile.get_children() if isinstance(a, PathPatch)]
    # Les ordonnées de la page croissent vers le bas : la pointe a la plus petite.
    for demi in demi_fleches:
        sommets = demi.get_path().vertices
        pointe = sommets[np.argmin(sommets[:, 1])]
        assert pointe[0] == pytest.approx(50.0)
        assert pointe[1] == pytest.approx(100.0)
    assert page.toile.get_ylim()[0] > page.toile.get_ylim()[1]


@settings(max_examples=60, deadline=None)
@given(st.text("abc éÀ-'", min_size=1, max_size=120), st.floats(15, 120))
def test_texte_coupe_ne_depasse_jamais(texte, largeur):
    page = Page.ouvrir("A4", DEJAVU)
    for ligne in page.couper(texte, largeur, 8.5):
        assert page.largeur(ligne, 8.5) <= largeur + 0.011
    assert len(page.couper(texte, largeur, 8.5, lignes_max=2)) <= 2


def test_coupure_sans_perte_et_insecables_tenues(page):
    texte = "12\u202f345 habitants à plus de 15\u00a0minutes d’un médecin\u00a0: 34\u00a0%"
    lignes = page.couper(texte, 30.0, 8.5)
    assert " ".join(lignes) == texte
    assert any("15\u00a0minutes" in ligne for ligne in lignes)


def test_titre_long_retrecit_jusqu_a_tenir(page):
    corps = page.ajuster(NOM_LONG, 146.0, 27.0, 15.0, 700)
    assert 15.0 <= corps < 27.0
    assert page.largeur(NOM_LONG, corps, 700) <= 146.0 + 1e-6
    assert page.ajuster("Ham", 146.0, 27.0, 15.0, 700) == 27.0
    # Ajusté au plus juste, il n'est pas coupé pour un arrondi.
    for largeur in (97.3, 111.1, 123.7, 146.0):
        corps = page.ajuster(NOM_LONG, largeur, 27.0, 5.0, 700)
        assert page.raccourcir(NOM_LONG, largeur, corps, 700) == NOM_LONG


def test_typographie():
    assert typographier("l'été : oui ?") == "l’été\u00a0: oui\u00a0?"


@pytest.mark.parametrize(
    ("brut", "attendu"),
    [
        ("GARE DE BÉTHUNE", "Gare de Béthune"),
        ("SERVICE D'URGENCES N° 3", "Service d'urgences n° 3"),
        ("LE CINÉMA", "Le Cinéma"),
    ],
)
def test_nom_en_capitales_recrit(brut, attendu):
    assert _en_minuscules(brut) == attendu


@pytest.mark.parametrize("total", range(0, 20))
def test_classes_de_nombre_sans_trou(total):
    bornes = _bornes_nombre(total)
    valeurs = [v for bas, haut in bornes for v in range(bas, haut + 1)]
    assert valeurs == list(range(total + 1))


def test_noms_sans_collision_ni_debord(page):
    territoire, _ = etude_exports()
    fond = construire_fond_papier(territoire)
    x, y = np.meshgrid(np.arange(12) * 100.0, np.arange(12) * 60.0)
    boites = shapely.box(
        *(COIN[0] + x.ravel(), COIN[1] + y.ravel()),
        *(COIN[0] + x.ravel() + 100, COIN[1] + y.ravel() + 60),
    )
    fond = replace(
        fond,
        communes=boites,
        noms=tuple(f"Commune très longue {i}" for i in range(len(boites))),
        population=np.arange(len(boites), dtype=float) * 150,
    )
    zone = shapely.union_all(boites)
    cadre = choisir_cadre(page, (12.0, 71.0, 140.0, 89.0), shapely.bounds(zone))
    poses = ecrire_noms(page, fond, cadre, zone, lire_styles())
    textes = [a for a in page.toile.get_children() if isinstance(a, matplotlib.text.Text)]
    textes = [t for t in textes if t.get_text().startswith("Commune")]
    assert 3 < poses == len(textes) < len(boites)
    # La plus peuplée est nommée.
    assert f"Commune très longue {len(boites) - 1}" in {t.get_text() for t in textes}
    rendu = FigureCanvasAgg(page.figure).get_renderer()
    cadres = [t.get_window_extent(rendu) for t in textes]
    for a, b in itertools.combinations(cadres, 2):
        assert not a.overlaps(b)
    mm = page.figure.dpi / 25.4
    for boite in cadres:
        assert boite.x0 >= 12.0 * mm and boite.x1 <= 152.0 * mm


def test_trace_compose_garde_les_trous():
    anneau = shapely.Point(0, 0).buffer(10).difference(shapely.Point(0, 0).buffer(5))
    trace = tracer(np.array([anneau]), 2)
    assert trace is not None
    assert (trace.codes == 1).sum() == 2
    assert tracer(np.array([shapely.Point(0, 0)]), 2) is None
    assert tracer(np.empty(0, dtype=object), 1) is None


def test_police_du_web_convertie_chiffres_alignes(tmp_path):
    police = lister_police()
    if not police.fichiers:
        pytest.skip("la police Public Sans n'est pas installée (scripts/actifs.py)")
    polices = preparer_polices(police, tmp_path)
    with TTFont(polices.normale) as fonte:
        assert fonte.flavor is None
        carte, avances = fonte.getBestCmap(), fonte["hmtx"]
        assert len({avances[carte[ord(c)]][0] for c in "0123456789"}) == 1
        assert 0x202F in carte


def test_signe_absent_de_la_police_pris_a_dejavu(tmp_path):
    polices = preparer_polices(lister_police(), tmp_path)
    for texte in ("Łódź ≤ 5", "Θήβα"):
        assert polices.fichier(400, texte).name == "DejaVuSans.ttf"
        assert polices.largeur_mm(texte, 10.0) > 0
    assert polices.fichier(700, "Θ").name == "DejaVuSans-Bold.ttf"


def fiches(territoire, etude, themes=None, zone_type="commune", codes=()):
    return composer_fiches(
        territoire, etude, choisir_theme(etude), themes or Themes(), lire_styles(), zone_type, codes
    )


def test_contenu_d_une_fiche_prevu_a_la_main():
    fiche = next(f for f in fiches(*etude_exports()) if f.code == "A0001")
    # Cinq carreaux de 10 à 50 habitants, tous à 80 s au plus à vélo de la seule boulangerie.
    assert fiche.nom == NOM_LONG
    assert fiche.phrase == (
        "Les 150\u00a0habitants y parviennent tous. Temps médian : 1\u00a0min. "
        "Territoire : 100\u00a0%."
    )
    assert fiche.classes[0] == "150"
    assert [c.valeur for c in fiche.chiffres] == ["100\u00a0%", "–", "100\u00a0%"]
    assert fiche.carences == ()
    assert fiche.friches == "Non fourni."
    assert fiche.desserte == "Horaires non fournis."
    assert fiche.surtitre == "Commune · bassin de vie de Bassin B1 · secteur Secteur S1"


def test_carences_d_une_fiche_rangees_et_nommees():
    territoire, _ = etude_exports()
    serre = replace(
        etude_exports()[1].parametres,
        seuils=tuple(replace(s, seuil_s=30.0) for s in etude_exports()[1].parametres.seuils),
    )
    from accessibilite.etude import calculer_etude

    etude = calculer_etude(territoire, None, serre)
    fiche = next(f for f in fiches(territoire, etude) if f.code == "A0001")
    # À 30 s : les carreaux 2 à 4 (30 + 40 + 50 habitants) à plus de 30 s à vélo de la boulangerie.
    ligne = next(c for c in fiche.carences if c.service == "boulangerie")
    assert (ligne.concernes, ligne.part) == ("120", "80\u00a0%")
    assert ligne.proches == ("hors du territoire (=hyperlink(1))", "hors du territoire")
    hopital = next(c for c in fiche.carences if c.service == "hopital")
    # En voiture à 10 m/s, le plus proche carreau est à 60 s.
    assert hopital.concernes == "150"
    assert hopital.proches[0] == "hors du territoire (Hôpital de la Ville)"


def test_contexte_des_couches_fournies(tmp_path):
    territoire, etude = etude_exports()
    territoire = replace(territoire, couches=ecrire_themes(tmp_path))
    fiche = next(f for f in fiches(territoire, etude, lire_themes(territoire)) if f.code == "A0001")
    # La friche reconvertie n'est plus en stock ; l'autre est au bord de la zone d'interdiction.
    assert fiche.friches.startswith("1\u00a0friche, 2,5\u00a0ha.")
    assert fiche.inondation == (
        "Surface en zone d’interdiction : 50,0\u00a0%, de prescription : 25,0\u00a0%."
    )
    assert fiche.commerces == "2\u00a0commerces, 1\u00a0local vacant."
    autre = next(f for f in fiches(territoire, etude, lire_themes(territoire)) if f.code == "A0002")
    assert autre.friches == "Aucune friche inventoriée."


def test_zone_ou_decoupage_inconnus():
    territoire, etude = etude_exports()
    with pytest.raises(ErreurConfiguration, match="Zone inconnue") as faute:
        fiches(territoire, etude, codes=("A0001", "Z9"))
    assert "Z9" in str(faute.value) and "A0001," not in str(faute.value).split("Attendu")[0]
    sans = replace(
        territoire, communes=territoire.communes.assign(code_bassin_de_vie="", bassin_de_vie="")
    )
    with pytest.raises(ErreurConfiguration, match="n'a pas ce découpage"):
        fiches(sans, etude, zone_type="bassin_de_vie")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    chemin = tmp_path_factory.mktemp("pdf") / "atlas.pdf"
    territoire, etude = etude_exports(fictif=True)
    options = OptionsAtlas(date_edition=JOUR, processus=1)
    exporter_atlas(
        territoire, etude, choisir_theme(etude), lire_styles(), lister_police(), chemin, options
    )
    return chemin


def textes(chemin):
    return [" ".join((p.extract_text() or "").split()) for p in PdfReader(chemin).pages]


def test_atlas_couverture_index_fiches_methode(atlas):
    pages = textes(atlas)
    # Couverture, index, deux communes, méthode.
    assert len(pages) == 5
    assert "Atlas de l’accès aux services" in pages[0]
    # L'index donne la page où se trouve chaque commune.
    ordre = sorted([NOM_LONG, NOM_BALISE])
    for numero, nom in enumerate(ordre, start=3):
        assert f"{nom} {numero}" in pages[1]
        assert nom in pages[numero - 1]
        assert f"{numero} / 5" in pages[numero - 1]
    assert "Méthode, sources et licences" in pages[4]


def test_atlas_dit_fictif_sources_hypotheses_echelle_partout(atlas):
    for texte in textes(atlas):
        assert "Données fictives" in texte
        assert "Hypothèses" in texte and "Sources" in texte
    for texte in textes(atlas)[2:4]:
        assert "Échelle 1 :" in texte
        assert "1er mars 2026" in texte
        assert "habitants" in texte


def test_polices_du_pdf_incorporees_et_texte_selectionnable(atlas):
    polices = {}
    for page in PdfReader(atlas).pages:
        for objet in page["/Resources"]["/Font"].values():
            fonte = objet.get_object()
            descendante = fonte.get("/DescendantFonts", [fonte])[0].get_object()
            polices[fonte["/BaseFont"]] = descendante["/FontDescriptor"]
            assert "/ToUnicode" in fonte
    assert polices
    assert all("/FontFile2" in d for d in polices.values())


def test_pdf_sans_date_et_signets(atlas):
    lu = PdfReader(atlas)
    assert not {"/CreationDate", "/ModDate"} & set(lu.metadata)
    assert [s["/Title"] for s in lu.outline] == [
        "Index",
        *sorted([NOM_LONG, NOM_BALISE]),
        "Méthode, sources et licences",
    ]
    largeur, hauteur = (float(v) for v in lu.pages[2].mediabox[2:])
    assert (largeur, hauteur) == pytest.approx((595.3, 841.9), abs=0.2)


def test_atlas_deux_fois_et_en_parallele_identique(atlas, tmp_path, monkeypatch):
    monkeypatch.setattr("couches.papier.atlas._PAGES_PAR_LOT", 8)
    territoire, etude = etude_exports(fictif=True)
    arguments = (territoire, etude, choisir_theme(etude), lire_styles(), lister_police())
    second = tmp_path / "second.pdf"
    exporter_atlas(*arguments, second, OptionsAtlas(date_edition=JOUR, processus=1))
    assert second.read_bytes() == atlas.read_bytes()
    monkeypatch.setattr("couches.papier.atlas._PAGES_PAR_LOT", 1)
    reparti = tmp_path / "reparti.pdf"
    exporter_atlas(*arguments, reparti, OptionsAtlas(date_edition=JOUR, processus=2))
    assert textes(reparti) == textes(atlas)


def test_une_fiche_par_fichier_et_a3(tmp_path):
    territoire, etude = etude_exports()
    sorties = exporter_fiches(
        territoire,
        etude,
        choisir_theme(etude),
        lire_styles(),
        lister_police(),
        tmp_path,
        OptionsAtlas(codes=("A0002",), format_page="A3", date_edition=JOUR, processus=1),
    )
    assert [s.name for s in sorties] == ["fiche_a0002_l-hay-b-script-coeur.pdf"]
    (page,) = PdfReader(sorties[0]).pages
    assert float(page.mediabox[2]) == pytest.approx(841.9, abs=0.2)
    texte = page.extract_text()
    assert NOM_BALISE in texte
    assert "Données fictives" not in texte
    assert "© les contributeurs d’OpenStreetMap (ODbL)" in texte


def test_aucun_texte_hors_de_la_page_ni_sous_huit_points():
    territoire, etude = etude_exports(fictif=True)
    dossier = composer_dossier(
        territoire, etude, choisir_theme(etude), Themes(), lire_styles(), DEJAVU, JOUR
    )
    for fiche in fiches(territoire, etude):
        figure = dessiner_fiche(dossier, fiche, "A4", "3 / 5")
        rendu = FigureCanvasAgg(figure).get_renderer()
        cadre = figure.bbox
        for axes in figure.axes:
            for texte in axes.texts:
                boite = texte.get_window_extent(rendu)
                assert boite.x0 >= cadre.x0 and boite.x1 <= cadre.x1, texte.get_text()
                assert boite.y0 >= cadre.y0 and boite.y1 <= cadre.y1, texte.get_text()
                assert texte.get_fontsize() >= 8.5 - 1e-9, texte.get_text()


def test_interruption_ne_laisse_rien(tmp_path):
    territoire, etude = etude_exports()

    def interrompre(etape, _part):
        if etape == "assemblage":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exporter_atlas(
            territoire,
            etude,
            choisir_theme(etude),
            lire_styles(),
            lister_police(),
            tmp_path / "atlas.pdf",
            OptionsAtlas(processus=1),
            interrompre,
        )
    assert list(tmp_path.iterdir()) == []


def test_image_png_et_svg(tmp_path):
    from PIL import Image

    territoire, etude = etude_exports(fictif=True)
    arguments = (territoire, etude, choisir_theme(etude, "boulangerie"), lire_styles())
    png = exporter_image(*arguments, lister_police(), tmp_path / "c.png", code="A0002")
    with Image.open(png) as image:
        assert image.size == (1920, 1080)
    for nom in ("a.svg", "b.svg"):
        exporter_image(*arguments, lister_police(), tmp_path / nom)
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert svg == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert "<text" in svg and "Données fictives" in svg
    assert "&lt;b&gt;&amp;&lt;/script&gt;" in svg


def test_theme_inconnu():
    with pytest.raises(ErreurConfiguration, match="Service inconnu") as faute:
        choisir_theme(etude_exports()[1], "piscine")
    assert "boulangerie, cinema, hopital" in str(faute.value)
