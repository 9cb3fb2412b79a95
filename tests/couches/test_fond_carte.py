import io

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from couches.ecran.carreaux_image import construire_grille, dessiner_carreaux
from couches.ecran.etiquettes import Etiquettes, Police, placer_etiquettes, rang_etiquette
from couches.ecran.fond import (
    OptionsReperes,
    cerner,
    construire_fond_carte,
    construire_lignes,
    construire_surfaces,
    dessiner_fond,
    dessiner_reperes,
)
from couches.ecran.mercator import (
    DEMI_MONDE_M,
    depuis_degres,
    emprise_tuile,
    projeter,
    resolution_m,
    vers_degres,
    vers_pixels,
)
from couches.styles import INACCESSIBLE, SANS_DONNEE, classer_temps, lire_couleur, lire_styles
from tests.fabriques.ville_quadrillee import COIN, CRS
from tests.fabriques.ville_quadrillee import territoire_essai as territoire_sans_place

STYLES = lire_styles()


def territoire_essai(**changements):
    """Ville quadrillée dont le contour entoure les rues, à 100 m près."""
    contour = shapely.box(COIN[0] - 100, COIN[1] - 100, COIN[0] + 1100, COIN[1] + 1100)
    return territoire_sans_place(**({"contour": contour} | changements))


def pixels(image: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGBA"))


def emprise_autour(territoire, demi_m=1500.0):
    """Carré Mercator centré sur le territoire."""
    centre = territoire.contour.centroid
    x, y = projeter(np.array([centre.x]), np.array([centre.y]), territoire.crs)
    return (x[0] - demi_m, y[0] - demi_m, x[0] + demi_m, y[0] + demi_m)


def pixel_de(territoire, x, y, emprise, taille):
    """(ligne, colonne) d'un point donné dans le CRS du territoire."""
    mx, my = projeter(np.array([x]), np.array([y]), territoire.crs)
    px, py = vers_pixels(mx, my, emprise, taille, taille)
    return int(py[0]), int(px[0])


def test_les_tuiles_pavent_le_monde():
    assert emprise_tuile(0, 0, 0) == (-DEMI_MONDE_M, -DEMI_MONDE_M, DEMI_MONDE_M, DEMI_MONDE_M)
    nord_ouest, sud_est = emprise_tuile(1, 0, 0), emprise_tuile(1, 1, 1)
    assert nord_ouest[2:] == (0.0, DEMI_MONDE_M)
    assert sud_est[:2] == (0.0, -DEMI_MONDE_M)
    assert resolution_m(0) == pytest.approx(156_543.034, abs=1e-3)


def test_les_degres_font_l_aller_et_retour():
    lon, lat = vers_degres(np.array([652_000.0]), np.array([7_045_000.0]), "EPSG:2154")
    assert depuis_degres(lon[0], lat[0], "EPSG:2154") == pytest.approx(
        (652_000, 7_045_000), abs=1e-3
    )


def test_une_geometrie_de_nature_differente_n_est_pas_dessinee():
    melange = [shapely.Point(0, 0), shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)])]
    assert construire_lignes(melange, "EPSG:3857").boites.tolist() == [[0, 0, 1, 1]]
    assert construire_surfaces(melange, "EPSG:3857").boites.shape == (1, 4)
    assert construire_lignes([], "EPSG:3857").debut.tolist() == [0]
    assert construire_surfaces([shapely.Polygon()], "EPSG:3857").polygones.tolist() == [0]


def test_le_fond_montre_rues_eau_et_sol():
    territoire = territoire_essai()
    x0, y0 = territoire.contour.bounds[:2]
    etang = gpd.GeoDataFrame(
        {"type": ["water"], "nom": [""]},
        geometry=[shapely.box(x0 + 720, y0 + 720, x0 + 780, y0 + 780)],
        crs=CRS,
    )
    territoire = territoire_essai(fond={"eau": etang})
    emprise = emprise_autour(territoire)
    image = pixels(dessiner_fond(construire_fond_carte(territoire), STYLES, emprise, 512))
    assert image.shape == (512, 512, 4)
    coin_x, coin_y = x0 + 100, y0 + 100
    attendus = {
        (coin_x + 200, coin_y + 250): "rue",  # au milieu d'un tronçon
        (coin_x + 250, coin_y + 250): "sol",  # au coeur d'un îlot
        (x0 + 750, y0 + 750): "eau",
        (x0 - 300, y0 - 300): "sol",
    }
    for (x, y), couleur in attendus.items():
        trouve = tuple(int(v) for v in image[pixel_de(territoire, x, y, emprise, 512)][:3])
        assert trouve == lire_couleur(STYLES.fond[couleur]), couleur


def test_deux_tuiles_voisines_se_raccordent():
    fond = construire_fond_carte(territoire_essai())
    o, s, e, n = emprise_autour(territoire_essai())
    milieu = (o + e) / 2
    entiere = pixels(dessiner_fond(fond, STYLES, (o, s, e, n), 512))
    gauche = pixels(dessiner_fond(fond, STYLES, (o, (s + n) / 2, milieu, n), 256))
    assert (entiere[:256, :256] == gauche).all()


def test_les_reperes_voilent_le_dehors_et_pas_le_dedans():
    territoire = territoire_essai()
    fond = construire_fond_carte(territoire)
    emprise = emprise_autour(territoire)
    sans_noms = OptionsReperes(noms=False, limites=False)
    image = pixels(dessiner_reperes(fond, STYLES, emprise, 400, 400, Police(), sans_noms))
    x0, y0, x1, _ = territoire.contour.bounds
    dedans = image[pixel_de(territoire, (x0 + x1) / 2, y0 + 350, emprise, 400)]
    dehors = image[pixel_de(territoire, x0 - 200, y0 + 350, emprise, 400)]
    bord = image[pixel_de(territoire, x0, y0 + 350, emprise, 400)]
    assert dedans[3] == 0
    assert dehors.tolist() == [255, 255, 255, 153]
    assert tuple(int(v) for v in bord[:3]) == lire_couleur(STYLES.fond["contour"])


def test_les_noms_s_affichent_seulement_si_on_les_demande():
    territoire = territoire_essai()
    fond, emprise = construire_fond_carte(territoire), emprise_autour(territoire)

    def encre(noms):
        options = OptionsReperes(noms=noms, limites=False)
        image = pixels(dessiner_reperes(fond, STYLES, emprise, 400, 300, Police(), options))
        assert image.shape == (300, 400, 4)
        return int(((image[..., :3] < 90).all(axis=2) & (image[..., 3] > 0)).sum())

    assert encre(True) > encre(False) + 30


def semer(n, graine):
    hasard = np.random.default_rng(graine)
    return Etiquettes(
        textes=tuple(f"Saint-Essai-{i}" for i in range(n)),
        x=hasard.uniform(0, 30_000, n),
        y=hasard.uniform(5_000_000, 5_030_000, n),
        poids=hasard.permutation(np.linspace(100, 60_000, n)),
    )


@pytest.mark.parametrize("zoom", [9, 11, 12.5, 14])
@pytest.mark.parametrize("graine", [1, 2])
def test_les_noms_ne_se_chevauchent_jamais(zoom, graine):
    metre = 1 / resolution_m(zoom)
    placees = placer_etiquettes(semer(120, graine), Police(), zoom, 1.0)
    assert placees
    boites = [
        shapely.box(
            e.x * metre - e.demi_largeur,
            e.y * metre - e.demi_hauteur,
            e.x * metre + e.demi_largeur,
            e.y * metre + e.demi_hauteur,
        )
        for e in placees
    ]
    paires = shapely.STRtree(boites).query(boites, predicate="intersects")
    recouvrements = [
        shapely.area(shapely.intersection(boites[a], boites[b]))
        for a, b in paires.T.tolist()
        if a < b
    ]
    assert max(recouvrements, default=0.0) < 1e-6


def test_la_plus_peuplee_est_toujours_nommee_et_en_plus_gros():
    etiquettes = semer(120, 3)
    placees = placer_etiquettes(etiquettes, Police(), 10, 1.0)
    assert placees[0].texte == etiquettes.textes[int(np.argmax(etiquettes.poids))]
    toutes = placer_etiquettes(etiquettes, Police(), 14, 1.0)
    assert len(toutes) > len(placees)
    assert toutes[0].taille > toutes[-1].taille


def test_une_population_inconnue_compte_comme_petite():
    assert rang_etiquette(float("nan")) == rang_etiquette(0.0)
    assert rang_etiquette(25_000.0)[0] > rang_etiquette(1_000.0)[0]


def peindre(temps, emprise, taille=400, territoire=None):
    territoire = territoire or territoire_essai()
    grille = construire_grille(territoire.carreaux.geometry.to_numpy(), territoire.crs)
    classes = classer_temps(np.array(temps, dtype=float), STYLES)
    return pixels(dessiner_carreaux(grille, classes, STYLES, emprise, taille, taille))


def test_chaque_carreau_prend_la_couleur_de_sa_classe():
    territoire = territoire_essai(
        carreaux=territoire_essai().carreaux.iloc[::2].reset_index(drop=True)
    )
    emprise = emprise_autour(territoire)
    image = peindre([60, 400, 700, 1000, 4000], emprise, territoire=territoire)
    for rang, carreau in enumerate(territoire.carreaux.itertuples()):
        trouve = image[pixel_de(territoire, carreau.x, carreau.y, emprise, 400)]
        assert tuple(int(v) for v in trouve) == (*lire_couleur(STYLES.couleurs_temps[rang]), 255)
    assert image[5, 5, 3] == 0


def test_inaccessible_et_sans_donnee_ont_leur_trame():
    emprise = emprise_autour(territoire_essai(), 1600)
    image = peindre([np.inf] * 5 + [np.nan] * 5, emprise)
    couleurs = {tuple(int(v) for v in c) for c in image.reshape(-1, 4)}
    opaques = {c[:3] for c in couleurs if c[3] == 255}
    assert opaques == {
        lire_couleur(STYLES.inaccessible_trait),
        lire_couleur(STYLES.inaccessible_fond),
        lire_couleur(STYLES.sans_donnee_point),
    }
    assert classer_temps(np.array([np.inf, np.nan]), STYLES).tolist() == [INACCESSIBLE, SANS_DONNEE]


def test_la_trame_ne_saute_pas_quand_la_carte_glisse():
    o, s, e, n = emprise_autour(territoire_essai(), 1600)
    pas = (e - o) / 400
    ici = peindre([np.inf] * 10, (o, s, e, n))
    glissee = peindre([np.inf] * 10, (o + 37 * pas, s + 21 * pas, e + 37 * pas, n + 21 * pas))
    assert (ici[: 400 - 21, 37:] == glissee[21:, : 400 - 37]).all()


def test_une_emprise_sans_carreau_est_transparente():
    assert peindre([60] * 10, (0.0, 0.0, 1000.0, 1000.0))[..., 3].max() == 0


def test_une_zone_cernee_prend_la_place_du_territoire():
    territoire = territoire_essai()
    fond, emprise = construire_fond_carte(territoire), emprise_autour(territoire)
    x0, y0 = COIN
    zone = shapely.box(x0, y0, x0 + 400, y0 + 400)
    cerne = cerner(fond, zone, territoire.crs)
    options = OptionsReperes(noms=False, limites=False)
    image = pixels(dessiner_reperes(cerne, STYLES, emprise, 400, 400, Police(), options))
    assert image[pixel_de(territoire, x0 + 200, y0 + 200, emprise, 400)][3] == 0
    # Dans le territoire, mais hors de la zone : voilé.
    assert image[pixel_de(territoire, x0 + 700, y0 + 700, emprise, 400)][3] == 153
    assert cerne.rues is fond.rues
    assert cerne.etiquettes is fond.etiquettes
