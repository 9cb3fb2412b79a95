import numpy as np
import shapely

from couches.ecran.trace import couvrir_lignes, reduire, remplir_polygones, superposer, vers_octets


def couvrir(points, largeur, *, taille=20, tiret=0.0, vide=0.0):
    masque = np.zeros((taille, taille), dtype=np.float32)
    xy = np.array(points, dtype=np.float64)
    debut = np.array([0, len(xy)], dtype=np.int64)
    couvrir_lignes(masque, debut, xy[:, 0].copy(), xy[:, 1].copy(), largeur / 2, tiret, vide)
    return masque


def remplir(polygones, valeurs, taille=20):
    _, xy, (anneaux, decalages) = shapely.to_ragged_array(np.array(polygones, dtype=object))
    image = np.zeros((taille, taille), dtype=np.uint8)
    remplir_polygones(
        image,
        decalages.astype(np.int64),
        anneaux.astype(np.int64),
        xy[:, 0].copy(),
        xy[:, 1].copy(),
        np.array(valeurs, dtype=np.uint8),
    )
    return image


def test_un_trait_horizontal_couvre_ses_rangees():
    masque = couvrir([(4.5, 10.0), (17.5, 10.0)], 4)
    # Rangées 8 à 11 pleines (centres à moins de 2 px), 7 et 12 hors du trait.
    assert masque[8:12, 6:15].min() == 1.0
    assert masque[7, 5:15].max() == masque[12, 5:15].max() == 0.0
    assert masque[:, 0].max() == 0.0


def test_la_couverture_suit_la_distance_exacte():
    ligne = shapely.LineString([(3, 4), (12, 15), (17, 6)])
    masque = couvrir(list(ligne.coords), 5)
    i, j = np.mgrid[0:20, 0:20]
    distance = shapely.distance(shapely.points(j + 0.5, i + 0.5), ligne)
    assert np.abs(masque - np.clip(2.5 + 0.5 - distance, 0, 1)).max() < 1e-5


def test_un_trait_fin_s_eclaircit():
    assert couvrir([(2, 10.5), (18, 10.5)], 0.5)[10, 10] == 0.5


def test_le_tirete_alterne_pleins_et_vides():
    ligne = couvrir([(0, 10.5), (20, 10.5)], 1, tiret=4, vide=4)[10]
    assert ligne[[1, 2, 9, 10]].min() == 1.0
    assert ligne[[5, 6, 13, 14]].max() == 0.0


def test_hors_de_l_image_rien_ne_casse():
    assert couvrir([(-500, -500), (-400, 900)], 3).max() == 0.0
    assert couvrir([(-50, 10.5), (70, 10.5)], 1)[10].min() == 1.0


def test_deux_carreaux_voisins_ne_laissent_ni_vide_ni_recouvrement():
    tourne = [
        shapely.affinity.rotate(shapely.box(4 + 5 * k, 5, 9 + 5 * k, 12), 17, origin=(9, 9))
        for k in range(2)
    ]
    ensemble = remplir(tourne, [1, 2]) > 0
    chacun = [remplir([p], [1]) > 0 for p in tourne]
    assert not (chacun[0] & chacun[1]).any()
    assert (ensemble == (chacun[0] | chacun[1])).all()
    assert (ensemble == (remplir([shapely.union_all(tourne)], [1]) > 0)).all()


def test_le_remplissage_est_celui_de_shapely_trous_compris():
    polygone = shapely.Polygon(
        [(1.3, 2.2), (18.4, 3.1), (16.2, 18.7), (9.1, 10.3), (2.4, 17.6)],
        [[(5, 5), (8, 5.5), (7, 8.2), (5, 7)]],
    )
    i, j = np.mgrid[0:20, 0:20]
    attendu = shapely.contains_xy(polygone, j + 0.5, i + 0.5)
    assert (remplir([polygone], [7]) == 7 * attendu).all()


def test_le_dernier_polygone_l_emporte():
    assert remplir([shapely.box(0, 0, 20, 20), shapely.box(5, 5, 10, 10)], [1, 2])[7, 7] == 2


def test_reduire_rend_la_part_couverte():
    image = np.zeros((6, 6), dtype=np.uint8)
    image[:3, :2] = 9
    assert np.allclose(reduire(image, 3), [[2 / 3, 0.0], [0.0, 0.0]])


def test_superposer_puis_rendre_des_octets():
    image = np.zeros((1, 2, 4), dtype=np.float32)
    superposer(image, np.array([[1.0, 0.0]], dtype=np.float32), 200, 100, 0, 0.5)
    assert vers_octets(image).tolist() == [[[200, 100, 0, 128], [0, 0, 0, 0]]]
    superposer(image, np.array([[1.0, 0.0]], dtype=np.float32), 0, 0, 0, 1.0)
    assert vers_octets(image)[0, 0].tolist() == [0, 0, 0, 255]
