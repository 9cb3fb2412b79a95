"""Page HTML autonome : carte, légende et tableaux dans un seul fichier, sans serveur ni réseau."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from accessibilite.bilans.indicateurs import PANIER_COMPLET, PLUS_RAPIDE
from accessibilite.bilans.synthese import lire_temps
from accessibilite.etude import ResultatEtude
from couches.composition import Theme, poser_question, regle_du_palier
from couches.ecran.fond import FondCarte, construire_fond_carte, dessiner_fond
from couches.ecran.mercator import DEMI_MONDE_M, emprise_tuile, vers_degres
from couches.licences import contient_osm, mentionner_sources
from couches.papier.dossier import dire_hypotheses_papier
from couches.papier.page import typographier
from couches.sig.export_raster import en_minutes
from couches.styles import Styles, libelles_classes
from couches.tables_export import majuscule
from couches.textes import INSECABLE, jour, nombre, pluriel
from donnees_geo.conventions import LIBELLES_PALIERS, PALIERS
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.territoire import Territoire

Progression = Callable[[str, float], None]
_RESSOURCES: Final = Path(__file__).resolve().parent / "ressources"
#: Nombre de tuiles du fond au plus : au-delà, la page serait trop lourde pour une clé.
_TUILES_MAX: Final = 360
_ZOOMS: Final = (8, 15)
_GRAISSES: Final = (400, 600, 700)


@dataclass(frozen=True)
class ActifsPage:
    """Composants tiers à mettre dans la page : textes de Leaflet, polices (graisse → fichier)."""

    leaflet_js: str
    leaflet_css: str
    polices: dict[int, bytes]


def lire_actifs_page(dossier: Path) -> ActifsPage:
    """Lire les composants installés par ``scripts/actifs.py``.

    Raises
    ------
    ErreurDonnees
        Leaflet n'est pas installé.
    """
    js, css = dossier / "leaflet" / "leaflet.js", dossier / "leaflet" / "leaflet.css"
    if not (js.is_file() and css.is_file()):
        raise ErreurDonnees(
            "La page autonome a besoin de Leaflet, qui n'est pas installé.",
            objet=js,
            conseil="lancer « python scripts/demarrer.py --preparer-seulement » avec internet",
        )
    polices = {}
    for graisse in _GRAISSES:
        fichier = dossier / "public-sans" / f"public-sans-{graisse}.woff2"
        if fichier.is_file():
            polices[graisse] = fichier.read_bytes()
    return ActifsPage(js.read_text(encoding="utf-8"), css.read_text(encoding="utf-8"), polices)


def exporter_page(
    territoire: Territoire,
    resultat: ResultatEtude,
    styles: Styles,
    actifs: ActifsPage,
    chemin: Path,
    date_edition: date | None = None,
    progression: Progression | None = None,
) -> Path:
    """Écrire la page autonome.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    styles
        Palette et classes.
    actifs
        Leaflet et polices.
    chemin
        Fichier ``.html``.
    date_edition
        Date affichée ; aujourd'hui par défaut.
    progression
        Rappel ``(étape, part faite)``.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire ; l'ancien est intact.
    """
    avancer = progression or _se_taire
    avancer("données", 0.0)
    donnees = composer_donnees(territoire, resultat, styles, date_edition or date.today())
    donnees["tuiles"] = _dessiner_tuiles(construire_fond_carte(territoire), styles, avancer)
    page = _assembler(donnees, actifs, f"Accès aux services — {territoire.nom}")
    with ecrire_atomique(chemin) as provisoire:
        provisoire.write_text(page, encoding="utf-8")
    return chemin


def _se_taire(_etape: str, _part: float) -> None:
    return None


def _assembler(donnees: dict[str, Any], actifs: ActifsPage, titre: str) -> str:
    """Remplir le gabarit ; aucun texte de données ne peut fermer une balise."""
    texte = json.dumps(donnees, ensure_ascii=False, separators=(",", ":"))
    texte = texte.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    polices = "".join(
        f'@font-face{{font-family:"Public Sans";font-weight:{graisse};'
        f"src:url(data:font/woff2;base64,{base64.b64encode(contenu).decode()})}}"
        for graisse, contenu in actifs.polices.items()
    )
    morceaux = {
        "TITRE": escape(titre),
        # Les images de Leaflet (bouton de couches, épingle) ne servent pas ici.
        "LEAFLET_CSS": re.sub(r"url\([^)]*\)", "none", actifs.leaflet_css),
        "POLICES": polices,
        "STYLE": (_RESSOURCES / "page_autonome.css").read_text(encoding="utf-8"),
        "DONNEES": texte,
        "LEAFLET_JS": re.sub(r"//# sourceMappingURL=\S*", "", actifs.leaflet_js),
        "SCRIPT": (_RESSOURCES / "page_autonome.js").read_text(encoding="utf-8"),
    }
    gabarit = (_RESSOURCES / "page_autonome.html").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda m: morceaux[m[1]], gabarit)


def composer_donnees(
    territoire: Territoire, resultat: ResultatEtude, styles: Styles, date_edition: date
) -> dict[str, Any]:
    """Données de la page, sérialisables en JSON (le fond excepté)."""
    connus = set(territoire.equipements["service"].astype(str))
    services = [s for s in resultat.services if s.id in connus]
    communes = territoire.communes.to_crs(4326)
    ouest, sud, est, nord = (
        gpd.GeoSeries([territoire.contour], crs=territoire.crs).to_crs(4326).total_bounds
    )
    return {
        "territoire": territoire.nom,
        "fictif": territoire.fictif,
        "date": jour(date_edition),
        "par_population": resultat.par_population,
        "bornes": [[sud, ouest], [nord, est]],
        "bornes_min": [round(b / 60) for b in styles.bornes_s],
        "couleurs": list(styles.couleurs_temps),
        "inaccessible": {"trait": styles.inaccessible_trait, "fond": styles.inaccessible_fond},
        "sans_donnee": styles.sans_donnee_point,
        "legende": _legende(styles),
        "carreaux": _carreaux(territoire),
        "communes": _lignes(shapely.boundary(communes.geometry.to_numpy())),
        "contour": _lignes(
            shapely.boundary(
                gpd.GeoSeries([territoire.contour], crs=territoire.crs).to_crs(4326).to_numpy()
            ),
        ),
        "zones": _zones(territoire, communes),
        "services": {s.id: {"libelle": s.libelle, "couleur": s.couleur} for s in services},
        "lieux": _lieux(territoire, {s.id for s in services}),
        "themes": _themes(territoire, resultat),
        "pied": _pied(territoire, resultat),
    }


def _legende(styles: Styles) -> list[dict[str, str]]:
    classes = [
        {"couleur": couleur, "texte": texte, "trame": "plein"}
        for couleur, texte in zip(styles.couleurs_temps, libelles_classes(styles), strict=True)
    ]
    return [
        *classes,
        {"couleur": "", "texte": "inaccessible", "trame": "hachures"},
        {"couleur": "", "texte": "sans donnée", "trame": "points"},
    ]


def _pied(territoire: Territoire, resultat: ResultatEtude) -> list[str]:
    osm = "© les contributeurs d’OpenStreetMap (ODbL). " if contient_osm(territoire) else ""
    return [
        typographier(f"Hypothèses : {dire_hypotheses_papier(resultat, territoire)}."),
        typographier(f"Sources : {mentionner_sources(territoire)}."),
        f"{osm}Page produite par Demi-heure ; carte par Leaflet (BSD).",
    ]


def _coder(valeurs: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(valeurs).tobytes()).decode("ascii")


def _carreaux(territoire: Territoire) -> dict[str, str | None]:
    """Plus grand anneau extérieur de chaque carreau, en millionièmes de degré."""
    anneaux = shapely.get_exterior_ring(
        _plus_grande_partie(territoire.carreaux.geometry.to_numpy())
    )
    coordonnees, rang = shapely.get_coordinates(anneaux, return_index=True)
    # Le dernier sommet d'un anneau répète le premier.
    dernier = np.append(np.flatnonzero(np.diff(rang)), len(rang) - 1)
    garde = np.ones(len(rang), dtype=bool)
    garde[dernier] = False
    lon, lat = vers_degres(coordonnees[garde, 0], coordonnees[garde, 1], territoire.crs)
    points = np.round(np.column_stack([lon, lat]) * 1e6).astype("<i4")
    comptes = np.bincount(rang[garde], minlength=len(anneaux))
    debut = np.concatenate([[0], np.cumsum(comptes)]).astype("<i4")
    population = territoire.carreaux["population_hab"].to_numpy(dtype=np.float64)
    return {
        "points": _coder(points),
        "debut": _coder(debut),
        "population": _coder(np.round(np.nan_to_num(population) * 10).astype("<i4"))
        if territoire.a_population
        else None,
    }


def _plus_grande_partie(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    parties, rang = shapely.get_parts(geometries, return_index=True)
    ordre = np.lexsort((-shapely.area(parties), rang))
    premier = ordre[np.unique(rang[ordre], return_index=True)[1]]
    return parties[premier]


def _lignes(lignes: NDArray[np.object_]) -> dict[str, Any]:
    """Limites en GeoJSON, simplifiées à une quinzaine de mètres."""
    fondues = shapely.simplify(shapely.line_merge(shapely.union_all(lignes)), 1.5e-4)
    geometrie = json.loads(shapely.to_geojson(shapely.set_precision(fondues, 1e-5)))
    return {"type": "Feature", "properties": {}, "geometry": geometrie}


def _zones(territoire: Territoire, communes: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Communes, de la plus à la moins peuplée."""
    points = shapely.get_coordinates(shapely.point_on_surface(communes.geometry.to_numpy()))
    bornes = shapely.bounds(communes.geometry.to_numpy())
    population = np.nan_to_num(territoire.communes["population_hab"].to_numpy(dtype=np.float64))
    noms = territoire.communes["nom"].astype(str).to_numpy()
    codes = territoire.communes["code_commune"].astype(str).to_numpy()
    return [
        {
            "code": codes[i],
            "nom": noms[i],
            "population": float(population[i]),
            "lon": round(float(points[i, 0]), 5),
            "lat": round(float(points[i, 1]), 5),
            "bornes": [
                [round(float(bornes[i, 1]), 5), round(float(bornes[i, 0]), 5)],
                [round(float(bornes[i, 3]), 5), round(float(bornes[i, 2]), 5)],
            ],
        }
        for i in np.lexsort((codes, -population))
    ]


def _lieux(territoire: Territoire, services: set[str]) -> dict[str, list[list[Any]]]:
    e = territoire.equipements
    points = shapely.get_coordinates(shapely.point_on_surface(e.geometry.to_numpy()))
    lon, lat = vers_degres(points[:, 0], points[:, 1], territoire.crs)
    lieux: dict[str, list[list[Any]]] = {s: [] for s in sorted(services)}
    for service, nom, x, y in zip(
        e["service"].astype(str), e["nom"].fillna("").astype(str), lon, lat, strict=True
    ):
        if service in lieux:
            lieux[service].append([round(float(x), 5), round(float(y), 5), nom])
    return lieux


def _themes(territoire: Territoire, resultat: ResultatEtude) -> list[dict[str, Any]]:
    """Paniers puis services, avec leurs temps par carreau et leurs parts par commune."""
    p = resultat.parametres
    themes = []
    for palier in PALIERS:
        services = tuple(s for s in resultat.services if s.palier == palier)
        if services:
            seuil = regle_du_palier(p, palier).seuil_s
            panier = Theme(services, palier, True, PLUS_RAPIDE, seuil)
            themes.append((f"Panier {LIBELLES_PALIERS[palier]}", PANIER_COMPLET, panier))
    for s in resultat.services:
        seuil = regle_du_palier(p, s.palier).seuil_s
        themes.append(
            (majuscule(s.libelle), s.id, Theme((s,), s.palier, False, PLUS_RAPIDE, seuil))
        )
    return [_theme(territoire, resultat, *t) for t in themes]


def _theme(
    territoire: Territoire, resultat: ResultatEtude, libelle: str, service: str, theme: Theme
) -> dict[str, Any]:
    i = resultat.indicateurs
    lignes = i[
        (i["mode"] == PLUS_RAPIDE) & (i["service"] == service) & (i["palier"] == theme.palier)
    ]
    par_commune = lignes[lignes["zone_type"] == "commune"].set_index("zone_code")
    parts = par_commune["part_desservie"].to_dict()
    hors = (par_commune["population_hab"] - par_commune["population_desservie_hab"]).to_dict()
    tout = lignes[lignes["zone_type"] == "territoire"]
    part_totale = float(tout["part_desservie"].iloc[0]) if len(tout) else math.nan
    codes = [z["code"] for z in _zones(territoire, territoire.communes)]
    return {
        "libelle": libelle,
        "question": typographier(poser_question(resultat, theme)),
        "services": list(theme.ids),
        "minutes": _coder(en_minutes(lire_temps(resultat, theme.ids, theme.mode))),
        "part": _fini(part_totale),
        "phrase": _phrase(resultat, tout, part_totale),
        "parts": [_fini(float(parts.get(c, math.nan))) for c in codes],
        "hors": [_fini(float(hors.get(c, math.nan))) for c in codes],
    }


def _fini(valeur: float) -> float | None:
    return round(valeur, 5) if math.isfinite(valeur) else None


def _phrase(resultat: ResultatEtude, tout: Any, part_totale: float) -> str:
    if not math.isfinite(part_totale):
        return ""
    if not resultat.par_population:
        return "de la surface habitée (le territoire n’a pas de population)."
    total = float(tout["population_hab"].iloc[0])
    hors = total - float(tout["population_desservie_hab"].iloc[0])
    return (
        f"des {nombre(round(total))}{INSECABLE}habitants ; "
        f"{pluriel(round(hors), 'habitant')} au-delà du seuil ou sans donnée."
    )


def _dessiner_tuiles(fond: FondCarte, styles: Styles, avancer: Progression) -> dict[str, Any]:
    """Tuiles du fond, en images incluses, jusqu'au zoom le plus fin que le poids permet."""
    plages: dict[int, tuple[int, int, int, int]] = {}
    compte = 0
    for zoom in range(_ZOOMS[0], _ZOOMS[1] + 1):
        plage = _plage(fond.emprise, zoom)
        compte += (plage[1] - plage[0] + 1) * (plage[3] - plage[2] + 1)
        if plages and compte > _TUILES_MAX:
            break
        plages[zoom] = plage
    images: dict[str, str] = {}
    total = sum((b - a + 1) * (h - g + 1) for a, b, g, h in plages.values())
    for zoom, (gauche, droite, haut, bas) in plages.items():
        for colonne in range(gauche, droite + 1):
            for ligne in range(haut, bas + 1):
                tuile = dessiner_fond(fond, styles, emprise_tuile(zoom, colonne, ligne), 256)
                images[f"{zoom}/{colonne}/{ligne}"] = "data:image/png;base64," + base64.b64encode(
                    tuile
                ).decode("ascii")
                avancer("fond de carte", 0.1 + 0.9 * len(images) / total)
    return {"min": min(plages), "max": max(plages), "images": images}


def _plage(emprise: tuple[float, float, float, float], zoom: int) -> tuple[int, int, int, int]:
    """Première et dernière colonnes, première et dernière lignes de tuiles d'une emprise."""
    cote = 2 * DEMI_MONDE_M / 2**zoom
    ouest, sud, est, nord = emprise
    return (
        int((ouest + DEMI_MONDE_M) // cote),
        int((est + DEMI_MONDE_M) // cote),
        int((DEMI_MONDE_M - nord) // cote),
        int((DEMI_MONDE_M - sud) // cote),
    )
