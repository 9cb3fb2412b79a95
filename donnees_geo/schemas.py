"""Schémas des tables du territoire préparé.

Chaque table est un ``DataFrame`` ou ``GeoDataFrame`` ordinaire, à index 0…n-1, dans le CRS métrique
du territoire. Les colonnes listées sont toujours présentes ; les autres sont facultatives et
conservées quand la source les donne.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Schema:
    """Colonnes obligatoires d'une table et leur sens.

    Attributes
    ----------
    nom
        Nom de la table (et du fichier Parquet).
    colonnes
        Nom de colonne → (type pandas, description avec unité).
    geometrie
        Types de géométrie admis, vide pour une table sans géométrie.
    """

    nom: str
    colonnes: dict[str, tuple[str, str]]
    geometrie: tuple[str, ...] = ()


COMMUNES: Final = Schema(
    "communes",
    {
        "code_commune": ("str", "code INSEE à 5 caractères (ou identifiant local hors de France)"),
        "nom": ("str", "nom officiel"),
        "population_hab": ("float64", "population municipale, NaN si la source ne la donne pas"),
        "code_bassin_de_vie": ("str", "code du bassin de vie, vide sans découpage"),
        "bassin_de_vie": ("str", "nom du bassin de vie"),
        "code_secteur": ("str", "code du secteur, vide sans découpage"),
        "secteur": ("str", "nom du secteur"),
    },
    ("Polygon", "MultiPolygon"),
)

CARREAUX: Final = Schema(
    "carreaux",
    {
        "carreau": ("str", "identifiant stable (idcar_200m de l'INSEE, ou construit)"),
        "population_hab": (
            "float64",
            "habitants ; NaN partout si le territoire n'a pas de "
            "population (les indicateurs sont alors des parts de surface)",
        ),
        "surface_m2": ("float64", "surface dans le CRS métrique"),
        "impute": ("bool", "carreau imputé par le producteur (secret statistique)"),
        "code_commune": ("str", "commune qui contient le point de demande"),
        "x": ("float64", "abscisse du point de demande, mètres"),
        "y": ("float64", "ordonnée du point de demande, mètres"),
    },
    ("Polygon", "MultiPolygon"),
)
# Facultatives : conventions.COLONNES_AGES et conventions.COLONNES_MENAGES (float64).

EQUIPEMENTS: Final = Schema(
    "equipements",
    {
        "equipement": ("str", "identifiant stable dans le territoire"),
        "service": ("str", "identifiant du service (parametres/services.toml)"),
        "nom": ("str", "nom affichable, vide si inconnu ou personnel"),
        "source": ("str", "bpe, osm, gtfs ou nom du fichier"),
        "id_source": ("str", "identifiant dans la source"),
        "code_commune": ("str", "commune, vide hors du découpage"),
        "qualite": ("str", "qualité de la géolocalisation : bonne, acceptable, mauvaise, inconnue"),
        "effectif": ("int32", "nombre de professionnels ou d'unités fusionnés en ce lieu (>= 1)"),
    },
    ("Point", "Polygon", "MultiPolygon"),
)

POINTS_ACCES: Final = Schema(
    "points_acces",
    {
        "equipement": ("int32", "indice de ligne dans la table equipements"),
        "x": ("float64", "mètres"),
        "y": ("float64", "mètres"),
    },
)
# Un point par équipement ponctuel ; plusieurs sur le pourtour d'un équipement surfacique (parc).

SCHEMAS: Final = {s.nom: s for s in (COMMUNES, CARREAUX, EQUIPEMENTS, POINTS_ACCES)}

FRICHES: Final = Schema(
    "friches",
    {
        "friche": ("str", "identifiant du site, unique (site_id du standard CNIG)"),
        "nom": ("str", "nom du site"),
        "type": ("str", "type de friche, libellé du standard CNIG 1.0.6"),
        "statut": ("str", "sans_projet, avec_projet, potentielle, reconvertie, autre ou inconnu"),
        "dans_stock": ("bool", "le site est encore une friche (statut autre que reconvertie)"),
        "occupation": ("str", "occupation, libellé du standard, vide si inconnue"),
        "pollution": ("str", "averee, supposee, peu_probable, traitee, inexistante ou inconnue"),
        "zone_urbanisme": ("str", "U, AU, A, N, RNU… d'après la source, vide si inconnue"),
        "code_commune": ("str", "commune qui contient le site, vide hors du découpage"),
        "surface_ha": ("float64", "surface, hectares ; NaN si inconnue"),
        "surface_origine": ("str", "contour (mesurée), declaree (unité foncière) ou inconnue"),
    },
    ("Point", "MultiPoint", "Polygon", "MultiPolygon"),
)

ZONES_INONDABLES: Final = Schema(
    "zones_inondables",
    {
        "document": ("str", "code GASPAR du PPR, code du TRI, ou nom de la livraison"),
        "zone": ("str", "code local de la zone, vide s'il n'y en a pas"),
        "famille": ("str", "reglement, alea, tri, hauteur, azi, nappe ou autre"),
        "niveau": ("str", "code du niveau dans sa famille (zones_inondables_codes.NIVEAUX)"),
        "severite": ("int8", "rang du niveau dans sa famille ; le plus grand l'emporte"),
        "alea": ("str", "debordement, ruissellement, submersion, nappe ou inconnu"),
        "scenario": ("str", "frequent, moyen, moyen_climat, extreme, ou vide"),
        "probabilite": ("str", "forte, moyenne, faible, ou vide"),
        "hauteur_min_m": ("float64", "hauteur d'eau minimale de la classe, mètres, ou NaN"),
        "hauteur_max_m": ("float64", "hauteur d'eau maximale de la classe, mètres, ou NaN"),
        "libelle": ("str", "nom de la zone dans la source"),
    },
    ("Polygon", "MultiPolygon"),
)

COMMERCES: Final = Schema(
    "commerces",
    {
        "commerce": ("str", "identifiant stable dans le territoire"),
        "nom": ("str", "enseigne ou nom affichable, vide si inconnu ou personnel"),
        "categorie": ("str", "identifiant de la catégorie (parametres/commerces.toml)"),
        "vacant": ("bool", "local commercial vacant"),
        "source": ("str", "fichier, sirene, bpe ou osm"),
        "code_commune": ("str", "commune, vide hors du découpage"),
    },
    ("Point",),
)

MARCHES: Final = Schema(
    "marches",
    {
        "marche": ("str", "identifiant : lieu et jour"),
        "nom": ("str", "nom du marché"),
        "jour": ("int8", "jour de la semaine, 0 = lundi … 6 = dimanche, -1 inconnu"),
        "debut_s": ("float64", "ouverture, secondes après minuit, NaN si inconnue"),
        "fin_s": ("float64", "fermeture, secondes après minuit, NaN si inconnue"),
        "lieu": ("str", "place ou adresse, vide si inconnue"),
        "code_commune": ("str", "commune, vide hors du découpage"),
    },
    ("Point",),
)
# Une ligne par marché et par jour de tenue.

#: Couches thématiques à schéma, que le territoire peut avoir ou non.
SCHEMAS_COUCHES: Final = {s.nom: s for s in (FRICHES, ZONES_INONDABLES, COMMERCES, MARCHES)}

ZONAGE_URBANISME: Final = Schema(
    "zonage_urbanisme",
    {
        "classe": ("str", "famille de zone : U, AU, A, N, RNU, ou vide"),
        "libelle": ("str", "zone du règlement"),
    },
    ("Polygon", "MultiPolygon"),
)

CONTEXTE: Final = Schema("contexte", {"libelle": ("str", "nom affichable, vide si inconnu")})

ARRETS_TC: Final = Schema(
    "arrets_tc",
    {
        "nom": ("str", "nom de l'arrêt"),
        "mode": ("str", "mode le plus capacitaire qui s'y arrête (gtfs.lecture.MODES_GTFS)"),
        "lignes": ("str", "lignes qui s'y arrêtent, séparées par des virgules"),
    },
    ("Point",),
)

LIGNES_TC: Final = Schema(
    "lignes_tc",
    {
        "mode": ("str", "mode de la ligne (gtfs.lecture.MODES_GTFS)"),
        "nom": ("str", "lignes qui parcourent le tronçon, séparées par des virgules"),
    },
    ("LineString",),
)

#: Couches montrées telles quelles, qu'aucun calcul n'exige.
SCHEMAS_CONTEXTE: Final = {s.nom: s for s in (ZONAGE_URBANISME, CONTEXTE, ARRETS_TC, LIGNES_TC)}
