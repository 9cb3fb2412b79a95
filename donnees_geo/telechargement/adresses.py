"""Des modèles du catalogue aux adresses à demander, pour un territoire donné."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.telechargement.catalogue import Catalogue, SourceOuverte
from donnees_geo.telechargement.cible import Cible

#: Côté d'un pixel de relief et d'une dalle demandée au service d'images, m et pixels.
PAS_RELIEF_M: Final = 25.0
COTE_DALLE_PX: Final = 1600
#: Objets par page d'un service paginé, et pages au plus.
OBJETS_PAR_PAGE: Final = 1000
PAGES_MAX: Final = 200


@dataclass(frozen=True)
class Part:
    """Un fichier à demander : même contenu à chacune de ses adresses, de la préférée à la dernière.

    Attributes
    ----------
    nom
        Ce que la part couvre (« département 62 »), pour les messages.
    adresses
        Adresses, dans l'ordre d'essai ; un ``{debut}`` restant appelle des pages.
    format
        Format attendu.
    somme
        Algorithme et somme de contrôle annoncés.
    bornes
        ``(xmin, ymin, xmax, ymax)`` d'une dalle.
    """

    nom: str
    adresses: tuple[str, ...]
    format: str
    somme: tuple[str, str] | None = None
    bornes: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Morceau:
    """Un fichier du territoire et les parts dont il est fait."""

    fichier: str
    parts: tuple[Part, ...]
    titre: str = ""
    #: Chaque part vaut par elle-même : l'échec de l'une ne perd pas les autres.
    separables: bool = False


def developper(source: SourceOuverte, cible: Cible, catalogue: Catalogue) -> tuple[Morceau, ...]:
    """Morceaux d'une source dont les adresses s'écrivent d'avance.

    Raises
    ------
    ErreurDonnees
        Région de Geofabrik inconnue pour un département.
    """
    parts = tuple(
        Part(
            nom,
            tuple(remplir(a, champs) + _demande(source, champs) for a in source.adresses),
            source.format,
            bornes=bornes,
        )
        for nom, champs, bornes in _valeurs(source, cible, catalogue)
    )
    separables = source.etendue == "departement"
    return (Morceau(source.fichier, parts, separables=separables),)


def _valeurs(
    source: SourceOuverte, cible: Cible, catalogue: Catalogue
) -> Iterator[tuple[str, dict[str, str], tuple[float, float, float, float] | None]]:
    """Nom de chaque part, valeurs de ses champs, bornes de sa dalle."""
    if source.etendue == "epci":
        yield f"EPCI {cible.epci}", {"epci": cible.epci}, None
    elif source.etendue == "departement":
        for code in cible.departements:
            yield f"département {code}", {"departement": code}, None
    elif source.etendue == "region":
        for region in regions_geofabrik(cible.departements, catalogue):
            yield f"région {region}", {"region": region}, None
    elif source.etendue == "emprise":
        bornes = [f"{b:.5f}" for b in cible.emprise_geo.bounds]
        champs = dict(zip(("ouest", "sud", "est", "nord"), bornes, strict=True))
        yield "emprise", champs | {"nombre": str(OBJETS_PAR_PAGE)}, None
    elif source.etendue == "dalles":
        for xmin, ymin, largeur, hauteur in decouper_dalles(cible.emprise.bounds):
            carre = (
                xmin,
                ymin,
                xmin + largeur * PAS_RELIEF_M,
                ymin + hauteur * PAS_RELIEF_M,
            )
            textes = dict(zip(("xmin", "ymin", "xmax", "ymax"), map(_nombre, carre), strict=True))
            taille = {"largeur": str(largeur), "hauteur": str(hauteur), "crs": cible.crs}
            yield f"dalle {textes['xmin']}, {textes['ymin']}", textes | taille, carre
    else:
        yield "France", {}, None


def regions_geofabrik(departements: Sequence[str], catalogue: Catalogue) -> list[str]:
    """Régions de Geofabrik qui couvrent des départements.

    Raises
    ------
    ErreurDonnees
        Département que le catalogue ne range dans aucune région.
    """
    regions = {code: region for region, codes in catalogue.regions.items() for code in codes}
    inconnus = [d for d in departements if d not in regions]
    if inconnus:
        raise ErreurDonnees(
            "Département sans région de Geofabrik.",
            objet=catalogue.chemin,
            trouve=", ".join(inconnus),
            conseil="ajoutez-le à la table [regions_geofabrik] du catalogue",
        )
    return sorted({regions[d] for d in departements})


def decouper_dalles(
    bornes: tuple[float, float, float, float],
) -> list[tuple[float, float, int, int]]:
    """Dalles qui couvrent une enveloppe, calées sur le pas du relief.

    Returns
    -------
    list of tuple
        Coin sud-ouest (m), largeur et hauteur (pixels).

    Examples
    --------
    >>> decouper_dalles((10.0, 0.0, 40_010.0, 30.0))
    [(0.0, 0.0, 1600, 2), (40000.0, 0.0, 1, 2)]
    """
    pas = PAS_RELIEF_M
    ouest, sud = (math.floor(b / pas) for b in bornes[:2])
    est, nord = (math.ceil(b / pas) for b in bornes[2:])
    return [
        (x * pas, y * pas, min(COTE_DALLE_PX, est - x), min(COTE_DALLE_PX, nord - y))
        for y in range(sud, nord, COTE_DALLE_PX)
        for x in range(ouest, est, COTE_DALLE_PX)
    ]


def ressources_datagouv(source: SourceOuverte, reponse: Any) -> tuple[Morceau, ...]:
    """Ressource la plus récente d'un jeu de data.gouv.fr qui répond au motif de la source.

    Parameters
    ----------
    reponse
        JSON de ``/api/1/datasets/{jeu}/``.

    Raises
    ------
    ErreurDonnees
        Réponse d'une autre forme, ou aucune ressource ne convient.
    """
    ressources = _liste(reponse, "resources", source)
    motif = re.compile(source.motif or ".", re.IGNORECASE)
    voulues = [
        r
        for r in ressources
        if isinstance(r.get("url"), str)
        and (motif.search(str(r.get("title", ""))) or motif.search(r["url"]))
    ]
    if not voulues:
        titres = ", ".join(str(r.get("title", "")) for r in ressources[:8]) or "aucune"
        raise ErreurDonnees(
            "Aucune ressource du jeu de données ne convient.",
            objet=source.adresses[0],
            attendu=f"un titre ou une adresse qui répond à « {source.motif} »",
            trouve=titres,
            conseil="corrigez « motif » dans le catalogue",
        )
    choisie = max(voulues, key=lambda r: str(r.get("last_modified", "")))
    controle = choisie.get("checksum") or {}
    somme = None
    if controle.get("type") in ("md5", "sha1", "sha256") and controle.get("value"):
        somme = (str(controle["type"]), str(controle["value"]))
    part = Part(str(choisie.get("title", "")), (choisie["url"],), source.format, somme)
    return (Morceau(source.fichier, (part,)),)


def flux_transport(
    source: SourceOuverte, reponse: Any, cible: Cible, aujourdhui: date
) -> tuple[tuple[Morceau, ...], list[str]]:
    """Flux GTFS de transport.data.gouv.fr dont le ressort touche le territoire.

    Le ressort n'est qu'indicatif : chaque flux reçu est ensuite jugé sur ses arrêts.

    Parameters
    ----------
    reponse
        JSON de ``/api/datasets`` : jeux, leur ``covered_area`` et leurs ressources.
    aujourdhui
        Un flux dont le calendrier est fini avant cette date est laissé.

    Returns
    -------
    tuple of Morceau
        Un fichier par flux, trié par nom.
    list of str
        Flux laissés de côté et pourquoi.

    Raises
    ------
    ErreurDonnees
        Réponse d'une autre forme.
    """
    if not isinstance(reponse, list):
        raise _forme(source, "une liste de jeux de données")
    exclure = re.compile(source.exclure, re.IGNORECASE) if source.exclure else None
    morceaux: dict[str, Morceau] = {}
    laisses: list[str] = []
    vues: set[str] = set()
    for jeu in reponse:
        if not isinstance(jeu, dict) or not _touche(jeu, cible.codes_couverts):
            continue
        for ressource in jeu.get("resources") or ():
            adresse = ressource.get("url") or ressource.get("original_url")
            gtfs = str(ressource.get("format", "")).upper() == "GTFS"
            if not gtfs or not adresse or adresse in vues:
                continue
            vues.add(adresse)
            titre = f"{jeu.get('title', '')} – {ressource.get('title', '')}".strip(" –")
            raison = _raison_de_laisser(jeu, ressource, titre, exclure, aujourdhui)
            if raison:
                laisses.append(f"{titre} ({raison})")
                continue
            nom = f"{source.fichier}/{_nom_de_fichier(jeu, ressource)}.zip"
            secours = ressource.get("original_url")
            adresses = tuple(dict.fromkeys(a for a in (adresse, secours) if a))
            morceaux[nom] = Morceau(nom, (Part(titre, adresses, source.format),), titre)
    return tuple(morceaux[n] for n in sorted(morceaux)), laisses


def _touche(jeu: dict[str, Any], codes: frozenset[str]) -> bool:
    return any(
        isinstance(zone, dict) and str(zone.get("insee") or "") in codes
        for zone in jeu.get("covered_area") or ()
    )


def _raison_de_laisser(
    jeu: dict[str, Any],
    ressource: dict[str, Any],
    titre: str,
    exclure: re.Pattern[str] | None,
    aujourdhui: date,
) -> str:
    if exclure is not None and (exclure.search(titre) or exclure.search(str(jeu.get("slug", "")))):
        return "exclu par le catalogue"
    fin = str((ressource.get("metadata") or {}).get("end_date") or "")[:10]
    if fin and fin < aujourdhui.isoformat():
        return f"périmé depuis le {fin}"
    if ressource.get("is_available") is False:
        return "indisponible chez son producteur"
    return ""


def _nom_de_fichier(jeu: dict[str, Any], ressource: dict[str, Any]) -> str:
    texte = f"{jeu.get('slug') or jeu.get('id') or 'reseau'}-{ressource.get('id', '')}".lower()
    return re.sub(r"[^a-z0-9]+", "-", texte).strip("-")[:80]


def lire_pages(
    adresse: str,
    obtenir: Callable[[str], Path],
    compter: Callable[[Path], int],
) -> Iterator[str]:
    """Adresses successives d'un service paginé, jusqu'à la page incomplète.

    Parameters
    ----------
    obtenir
        Rend le fichier d'une page.
    compter
        Nombre d'objets d'une page.

    Raises
    ------
    ErreurDonnees
        Plus de :data:`PAGES_MAX` pages.
    """
    for page in range(PAGES_MAX):
        url = adresse.replace("{debut}", str(page * OBJETS_PAR_PAGE))
        fichier = obtenir(url)
        yield url
        if "{debut}" not in adresse or compter(fichier) < OBJETS_PAR_PAGE:
            return
    raise ErreurDonnees(
        "Le service rend trop de pages.", objet=adresse, attendu=f"au plus {PAGES_MAX} pages"
    )


def remplir(modele: str, champs: dict[str, str]) -> str:
    """Adresse remplie ; ``{debut}`` reste pour la pagination."""
    surs = {nom: quote(valeur, safe=":/") for nom, valeur in champs.items()}
    return modele.format_map({**surs, "debut": "{debut}"})


def _demande(source: SourceOuverte, champs: dict[str, str]) -> str:
    """Requête d'un service, à joindre à son adresse ; vide si la source n'en a pas."""
    if not source.requete:
        return ""
    lignes = source.requete.format_map(champs).split()
    return "?data=" + quote(" ".join(lignes), safe="")


def _nombre(valeur: float) -> str:
    return f"{valeur:.0f}"


def _liste(reponse: Any, cle: str, source: SourceOuverte) -> list[dict[str, Any]]:
    liste = reponse.get(cle) if isinstance(reponse, dict) else None
    if not isinstance(liste, list):
        raise _forme(source, f"un objet dont « {cle} » est une liste")
    return [element for element in liste if isinstance(element, dict)]


def _forme(source: SourceOuverte, attendu: str) -> ErreurDonnees:
    return ErreurDonnees(
        "La réponse du catalogue en ligne n'a pas la forme attendue.",
        objet=source.adresses[0],
        attendu=attendu,
        conseil="le service a pu changer : posez les fichiers à la main",
    )
