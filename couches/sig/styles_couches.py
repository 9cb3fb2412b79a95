"""Style de chaque couche exportée vers QGIS : les couleurs et les classes de l'écran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import geopandas as gpd

from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from accessibilite.etude import colonne_temps
from couches.catalogue import Classe, FicheCouche, classe_de, lire_aspect_libre, lire_catalogue
from couches.sig.styles_qgis import Condition, RegleStyle, StyleCouche, Symbole, Trame
from couches.styles import Styles, libelles_classes
from couches.tables_export import INACCESSIBLE_S, majuscule
from donnees_geo.configuration import Service
from donnees_geo.conventions import LIBELLES_PALIERS

#: Classes de part desservie, bornes hautes, de la moins à la mieux desservie.
BORNES_PART: Final = (0.25, 0.5, 0.75, 0.95)


def style_temps(champ: str, nom: str, description: str, styles: Styles) -> StyleCouche:
    """Classes de temps de l'écran sur un champ en secondes (-1 inaccessible, NULL sans donnée)."""
    regles = []
    bas: float = INACCESSIBLE_S
    bornes: list[float | None] = [*styles.bornes_s, None]
    for haut, couleur, libelle in zip(
        bornes, styles.couleurs_temps, libelles_classes(styles), strict=True
    ):
        conditions = [Condition(champ, ">", bas)]
        if haut is not None:
            conditions.append(Condition(champ, "<=", haut))
            bas = haut
        regles.append(RegleStyle(libelle, Symbole("surface", couleur), tuple(conditions)))
    inaccessible = Symbole("surface", styles.inaccessible_trait, trame="hachures")
    regles.append(
        RegleStyle("inaccessible", inaccessible, (Condition(champ, "=", INACCESSIBLE_S),))
    )
    muet = Symbole("surface", styles.sans_donnee_point, styles.sans_donnee_point, 0.1, trame="vide")
    regles.append(RegleStyle("sans donnée", muet, (Condition(champ, "nul"),)))
    return StyleCouche(nom, description, tuple(regles))


def styles_carreaux(
    paliers: Sequence[str], services: Sequence[Service], styles: Styles
) -> list[StyleCouche]:
    """Un style par panier et par service ; le premier est celui d'ouverture."""
    paniers = [
        style_temps(
            f"temps_panier_{p}_s",
            f"Panier {LIBELLES_PALIERS[p]}",
            "Temps jusqu'au plus lointain des services du palier, modes du palier.",
            styles,
        )
        for p in paliers
    ]
    return paniers + [
        style_temps(
            colonne_temps(s.id, PLUS_RAPIDE),
            majuscule(s.libelle)[:30],
            f"Temps jusqu'au lieu le plus proche ({s.libelle}), modes du palier.",
            styles,
        )
        for s in services
    ]


def style_limites(styles: Styles) -> StyleCouche:
    """Limites et noms, sans fond : ce qui est dessous se lit."""
    symbole = Symbole("surface", styles.fond["sol"], styles.fond["limite"], 0.25, trame="vide")
    regle = RegleStyle("limite de commune", symbole)
    return StyleCouche("Limites et noms", "Limites et noms des communes.", (regle,), "nom")


def style_communes(champ: str, styles: Styles) -> StyleCouche:
    """Part desservie par commune : foncé, peu desservie (comme les temps : foncé, loin)."""
    regles = []
    bas: float | None = None
    couleurs = styles.couleurs_temps[::-1]
    for rang, haut in enumerate([*BORNES_PART, None]):
        conditions = [Condition(champ, ">", bas)] if bas is not None else []
        if haut is not None:
            conditions.append(Condition(champ, "<=", haut))
        debut = f"{100 * (bas or 0):.0f}"
        libelle = f"{debut} à {100 * haut:.0f} %" if haut is not None else f"plus de {debut} %"
        symbole = Symbole("surface", couleurs[rang], styles.fond["limite"], 0.15, opacite=0.85)
        regles.append(RegleStyle(libelle, symbole, tuple(conditions)))
        bas = haut
    vide = Symbole("surface", styles.fond["sol"], styles.fond["limite"], 0.15)
    regles.append(RegleStyle("sans donnée", vide, (Condition(champ, "nul"),)))
    return StyleCouche(
        "Part desservie",
        "Part des habitants à portée du panier de proximité.",
        tuple(regles),
        "nom",
    )


def style_simple(nom: str, symbole: Symbole, etiquette: str = "") -> StyleCouche:
    """Un seul symbole pour toute la couche."""
    return StyleCouche(nom, nom, (RegleStyle(nom, symbole),), etiquette)


def style_equipements(services: Sequence[Service]) -> StyleCouche:
    """Un point par service, de la couleur du catalogue."""
    return StyleCouche(
        "Services",
        "Lieux de service, par service.",
        tuple(
            RegleStyle(
                s.libelle,
                Symbole("point", s.couleur, "#ffffff", 0.2, 2.2),
                (Condition("service", "=", s.id),),
            )
            for s in services
        ),
    )


def styles_catalogue(genres: Mapping[str, str]) -> dict[str, StyleCouche]:
    """Style de chaque couche thématique d'après le catalogue partagé avec l'écran.

    Parameters
    ----------
    genres
        Schéma → type de géométrie de la couche (« Point », « MultiPolygon »…).
    """
    regles: dict[str, list[RegleStyle]] = {}
    for fiche in lire_catalogue().values():
        if fiche.schema in genres:
            regles.setdefault(fiche.schema, []).extend(_regles(fiche, genres[fiche.schema]))
    return {
        schema: StyleCouche(majuscule(schema.replace("_", " ")), "Aspect de l'écran.", tuple(r))
        for schema, r in regles.items()
    }


def style_contexte(fiche: FicheCouche, table: gpd.GeoDataFrame) -> StyleCouche:
    """Style d'une couche de contexte (zonage du PLU, quartiers…) : ses seules classes présentes."""
    genre = str(table.geom_type.iloc[0]) if len(table) else "Polygon"
    rangs = classe_de(fiche, table)
    regles = []
    for rang, regle in enumerate(_regles(fiche, genre)):
        # Le catalogue ignore la casse ; QGIS non : la règle cite les valeurs de la table.
        valeurs = table.loc[rangs == rang, fiche.champ].unique() if fiche.champ else ()
        autres = [c for c in regle.conditions if c.champ != fiche.champ]
        regles += [
            replace(regle, conditions=(*autres, Condition(fiche.champ, "=", valeur)))
            for valeur in sorted(map(str, valeurs))
        ]
        if not fiche.champ:
            regles.append(regle)
    return StyleCouche(fiche.titre[:30], "Aspect de l'écran.", tuple(regles))


def _regles(fiche: FicheCouche, genre: str) -> Iterator[RegleStyle]:
    for classe in fiche.classes:
        conditions = [Condition(c, "=", v) for c, v in fiche.filtre.items()]
        if fiche.champ:
            # « true » et « false » sont des valeurs logiques, pas des textes.
            logique = {"true": True, "false": False}.get(classe.valeur)
            valeur = classe.valeur if logique is None else logique
            conditions.append(Condition(fiche.champ, "=", valeur))
        yield RegleStyle(classe.libelle, _symbole_classe(classe, genre), tuple(conditions))


def _symbole_classe(classe: Classe, genre: str) -> Symbole:
    if "Point" in genre:
        creux = classe.trame == "rond"
        fond, bord = ("#ffffff", classe.couleur) if creux else (classe.couleur, "#ffffff")
        return Symbole("point", fond, bord, 0.3, 2.4)
    if "Line" in genre:
        return Symbole("ligne", classe.couleur, largeur_mm=0.4, tirets=classe.trame == "tirets")
    if classe.trame == "plein":
        return Symbole("surface", classe.couleur, opacite=0.5)
    trame: Trame = "hachures" if classe.trame == "hachures" else "vide"
    return Symbole(
        "surface",
        classe.couleur,
        classe.couleur,
        0.3,
        trame=trame,
        tirets=classe.trame == "tirets",
    )


def couleur_classe(couche: str, valeur: str) -> str:
    """Couleur d'une classe du catalogue.

    Raises
    ------
    KeyError
        Couche ou classe absente du catalogue.
    """
    return {c.valeur: c.couleur for c in lire_catalogue()[couche].classes}[valeur]


def style_libre(nom: str, genre: str) -> StyleCouche:
    """Style d'une couche sans fiche au catalogue, d'après son type de géométrie."""
    couleur = lire_aspect_libre().couleur
    if "Point" in genre:
        return style_simple(nom, Symbole("point", couleur, "#ffffff", 0.2, 2.0))
    if "Line" in genre:
        return style_simple(nom, Symbole("ligne", couleur, largeur_mm=0.4))
    return style_simple(nom, Symbole("surface", couleur, couleur, 0.2, opacite=0.45))
