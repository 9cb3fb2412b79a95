"""Dessin de lignes et de surfaces dans des tableaux de pixels (noyaux compilés).

Écrits en propre : une tuile de 512 pixels porte des milliers de rues, que les bibliothèques de
dessin parcourent une à une en Python. Les noyaux relâchent le verrou de Python.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True)
def couvrir_lignes(couverture, debut, x, y, demi_largeur, tiret, vide):  # type: ignore[no-untyped-def]
    """Ajouter à ``couverture`` la part de chaque pixel couverte par des lignes à bouts ronds.

    Parameters
    ----------
    couverture
        float32[h, w], 0 à 1, complétée sur place (le maximum l'emporte : les lignes qui se
        croisent se fondent).
    debut
        int64[n+1], sommets de la ligne ``i`` : ``debut[i]`` à ``debut[i+1]`` exclu.
    x, y
        float64, pixels ; le centre du pixel de coin est en (0,5 ; 0,5).
    demi_largeur
        Pixels ; sous un demi-pixel la ligne s'éclaircit au lieu de s'amincir.
    tiret, vide
        Longueurs du tireté en pixels ; ``vide`` nul : trait plein.
    """
    hauteur, largeur = couverture.shape
    rayon = max(demi_largeur, 0.5)
    force = min(1.0, 2.0 * demi_largeur)
    portee = rayon + 0.5
    for i in range(debut.size - 1):
        abscisse = 0.0
        for s in range(debut[i], debut[i + 1] - 1):
            x0, y0, x1, y1 = x[s], y[s], x[s + 1], y[s + 1]
            dx, dy = x1 - x0, y1 - y0
            carre = dx * dx + dy * dy
            longueur = math.sqrt(carre)
            haut = max(0, math.floor(min(y0, y1) - portee))
            bas = min(hauteur - 1, math.ceil(max(y0, y1) + portee))
            for ligne in range(haut, bas + 1):
                cy = ligne + 0.5
                # Part du segment qui passe à portée de cette rangée de pixels.
                t0, t1 = 0.0, 1.0
                if abs(dy) > 1e-9:
                    ta, tb = (cy - portee - y0) / dy, (cy + portee - y0) / dy
                    t0, t1 = max(0.0, min(ta, tb)), min(1.0, max(ta, tb))
                    if t0 > t1:
                        continue
                xa, xb = x0 + t0 * dx, x0 + t1 * dx
                gauche = max(0, math.floor(min(xa, xb) - portee))
                droite = min(largeur - 1, math.ceil(max(xa, xb) + portee))
                for colonne in range(gauche, droite + 1):
                    cx = colonne + 0.5
                    t = 0.0
                    if carre > 0:
                        t = min(1.0, max(0.0, ((cx - x0) * dx + (cy - y0) * dy) / carre))
                    if vide > 0 and (abscisse + t * longueur) % (tiret + vide) > tiret:
                        continue
                    ex, ey = cx - x0 - t * dx, cy - y0 - t * dy
                    part = force * min(1.0, portee - math.sqrt(ex * ex + ey * ey))
                    if part > couverture[ligne, colonne]:
                        couverture[ligne, colonne] = part
            abscisse += longueur


@nb.njit(cache=True, nogil=True)
def remplir_polygones(image, polygones, anneaux, x, y, valeurs):  # type: ignore[no-untyped-def]
    """Écrire une valeur dans les pixels dont le centre est dans un polygone (règle pair-impair).

    Deux polygones qui se touchent ne laissent ni vide ni recouvrement.

    Parameters
    ----------
    image
        uint8[h, w], complétée sur place ; le dernier polygone l'emporte.
    polygones
        int64[p+1] : anneaux du polygone ``i``, ``polygones[i]`` à ``polygones[i+1]`` exclu.
    anneaux
        int64[a+1] : sommets de l'anneau ``j`` (fermé : premier et dernier sommets égaux).
    x, y
        float64, pixels.
    valeurs
        uint8[p].
    """
    hauteur, largeur = image.shape
    croisements = np.empty(64)
    for p in range(polygones.size - 1):
        s0, s1 = anneaux[polygones[p]], anneaux[polygones[p + 1]]
        if s1 <= s0:
            continue
        haut = max(0, math.floor(y[s0:s1].min() - 0.5))
        bas = min(hauteur - 1, math.ceil(y[s0:s1].max() - 0.5))
        for ligne in range(haut, bas + 1):
            cy = ligne + 0.5
            nombre = 0
            for a in range(polygones[p], polygones[p + 1]):
                for s in range(anneaux[a], anneaux[a + 1] - 1):
                    if (y[s] <= cy) != (y[s + 1] <= cy):
                        if nombre == croisements.size:
                            croisements = np.concatenate((croisements, np.empty(nombre)))
                        pente = (x[s + 1] - x[s]) / (y[s + 1] - y[s])
                        croisements[nombre] = x[s] + (cy - y[s]) * pente
                        nombre += 1
            tri = np.sort(croisements[:nombre])
            for k in range(0, nombre - 1, 2):
                gauche = max(0, math.ceil(tri[k] - 0.5))
                droite = min(largeur - 1, math.ceil(tri[k + 1] - 0.5) - 1)
                for colonne in range(gauche, droite + 1):
                    image[ligne, colonne] = valeurs[p]


@nb.njit(cache=True, nogil=True)
def reduire(image, facteur):  # type: ignore[no-untyped-def]
    """Part non nulle de chaque bloc de ``facteur`` × ``facteur`` pixels, float32."""
    h, w = image.shape[0] // facteur, image.shape[1] // facteur
    resultat = np.empty((h, w), dtype=np.float32)
    for i in range(h):
        for j in range(w):
            compte = 0
            for a in range(facteur):
                for b in range(facteur):
                    compte += image[i * facteur + a, j * facteur + b] != 0
            resultat[i, j] = compte / (facteur * facteur)
    return resultat


@nb.njit(cache=True, nogil=True)
def superposer(image, couverture, rouge, vert, bleu, opacite):  # type: ignore[no-untyped-def]
    """Poser une couleur sur une image à alpha prémultiplié.

    Parameters
    ----------
    image
        float32[h, w, 4], composantes 0–255 prémultipliées et alpha 0–1, complétée sur place.
    couverture
        float32[h, w], 0 à 1.
    rouge, vert, bleu, opacite
        Couleur 0–255 et opacité 0–1.
    """
    hauteur, largeur = couverture.shape
    for i in range(hauteur):
        for j in range(largeur):
            a = couverture[i, j] * opacite
            if a > 0:
                reste = 1 - a
                image[i, j, 0] = image[i, j, 0] * reste + rouge * a
                image[i, j, 1] = image[i, j, 1] * reste + vert * a
                image[i, j, 2] = image[i, j, 2] * reste + bleu * a
                image[i, j, 3] = image[i, j, 3] * reste + a


@nb.njit(cache=True, nogil=True)
def vers_octets(image):  # type: ignore[no-untyped-def]
    """Image float32[h, w, 4] prémultipliée → uint8[h, w, 4] à alpha droit."""
    hauteur, largeur, _ = image.shape
    resultat = np.zeros((hauteur, largeur, 4), dtype=np.uint8)
    for i in range(hauteur):
        for j in range(largeur):
            a = image[i, j, 3]
            if a > 0:
                for k in range(3):
                    resultat[i, j, k] = np.uint8(min(255.0, image[i, j, k] / a + 0.5))
                resultat[i, j, 3] = np.uint8(min(255.0, a * 255 + 0.5))
    return resultat
