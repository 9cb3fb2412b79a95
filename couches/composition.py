"""Composer les couches d'une carte d'accès : ordre, légendes, provenances.

Porte d'entrée de la couche : :func:`composer_couches`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from accessibilite.etude import ResultatEtude
from couches.couche import ODBL, SIMULEE, Couche, EntreeLegende
from couches.licences import dire_licences
from couches.styles import Styles, libelles_classes
from couches.textes import INSECABLE, heure, jour, nombre
from donnees_geo.configuration import Parametres, Service, SeuilPalier
from donnees_geo.conventions import LIBELLES_MODES, LIBELLES_PALIERS, Palier
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.territoire import SourceLue, Territoire


@dataclass(frozen=True)
class Theme:
    """Ce que la carte mesure.

    Attributes
    ----------
    services
        Services ; plusieurs : le panier d'un palier, tous à la fois.
    palier
        Palier du panier, ou du service.
    panier
        Vrai pour un palier entier.
    mode
        Mode calculé, ou ``plus_rapide``.
    seuil_s
        Seuil des chiffres, secondes.
    jour
        Jour du transport collectif (AAAA-MM-JJ), vide pour celui de l'étude.
    """

    services: tuple[Service, ...]
    palier: Palier
    panier: bool
    mode: str
    seuil_s: float
    jour: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """Identifiants des services."""
        return tuple(s.id for s in self.services)


def regle_du_palier(parametres: Parametres, palier: str) -> SeuilPalier:
    """Seuil et modes admis d'un palier.

    Raises
    ------
    ErreurConfiguration
        Palier sans règle.
    """
    for regle in parametres.seuils:
        if regle.palier == palier:
            return regle
    raise ErreurConfiguration("Ce palier n'a pas de règle.", objet=palier)


def dire_modes(resultat: ResultatEtude, theme: Theme) -> str:
    """« à pied », ou pour la règle du palier « à pied ou à vélo » (modes calculés seulement)."""
    if theme.mode != PLUS_RAPIDE:
        return LIBELLES_MODES[theme.mode]
    modes = regle_du_palier(resultat.parametres, theme.palier).modes
    calcules = [LIBELLES_MODES[m] for m in modes if m in resultat.modes]
    return " ou ".join(calcules or [LIBELLES_MODES[m] for m in modes])


def dire_hypotheses(resultat: ResultatEtude, theme: Theme) -> str:
    """Vitesses et fenêtre qui fondent la carte, à écrire à côté du chiffre."""
    p = resultat.parametres
    modes: Sequence[str] = (theme.mode,)
    if theme.mode == PLUS_RAPIDE:
        regle = regle_du_palier(p, theme.palier).modes
        modes = [m for m in regle if m in resultat.modes] or regle
    return " ; ".join(decrire_mode(p, m, resultat.jour) for m in modes)


def decrire_mode(parametres: Parametres, mode: str, jour_etudie: date | None = None) -> str:
    """Hypothèses d'un mode, en clair ; le jour ne compte que pour le transport collectif."""
    p = parametres
    if mode == "marche":
        return f"marche {nombre(p.vitesse_marche_kmh, 1)}{INSECABLE}km/h"
    if mode == "velo":
        return f"vélo {nombre(p.vitesse_velo_kmh)}{INSECABLE}km/h"
    if mode == "voiture":
        return f"voiture, vitesses limites, temps × {nombre(p.facteur_congestion_voiture, 2)}"
    quand = f" le {jour(jour_etudie, semaine=True)}" if jour_etudie else ""
    debut, fin = p.fenetre_tc_debut_s, p.fenetre_tc_debut_s + p.fenetre_tc_duree_s
    return (
        f"transport collectif{quand}, départs de {heure(debut)} à {heure(fin)}, "
        f"{'médiane' if p.centile_tc == 50 else f'centile {p.centile_tc:g}'}"
    )


def poser_question(resultat: ResultatEtude, theme: Theme) -> str:
    """Titre de la carte : la question à laquelle elle répond."""
    minutes = f"{theme.seuil_s / 60:g} minutes"
    if theme.panier:
        quoi = f"tous les services {_du_palier(theme.palier)}"
        return f"Qui peut rejoindre {quoi} en {minutes} {dire_modes(resultat, theme)} ?"
    service = theme.services[0]
    return (
        f"Qui peut rejoindre {nommer_service(service)} en {minutes} {dire_modes(resultat, theme)} ?"
    )


def _du_palier(palier: str) -> str:
    return "de proximité" if palier == "proximite" else f"du palier {LIBELLES_PALIERS[palier]}"


def nommer_service(service: Service) -> str:
    """Service avec son article : « une boulangerie », « un lieu d'enseignement supérieur »."""
    liaison = "" if service.article.endswith(("'", "’")) else " "
    return f"{service.article}{liaison}{service.libelle}".replace("'", "’")


def composer_couches(
    territoire: Territoire, resultat: ResultatEtude, theme: Theme, styles: Styles
) -> list[Couche]:
    """Couches de la carte d'accès, de la plus basse à la plus haute.

    Parameters
    ----------
    territoire, resultat
        Ce qui est montré.
    theme
        Service ou panier, mode, seuil.
    styles
        Rampe et couleurs.
    """
    libelle = "panier complet" if theme.panier else theme.services[0].libelle
    fictif = territoire.fictif
    population = _source(territoire, "population")
    services = _source(territoire, "services")
    decoupage = _source(territoire, "decoupage")
    return [
        Couche(
            id="fond",
            groupe="reperes",
            titre="Fond de carte",
            source="rues, eaux et bois d’OpenStreetMap",
            millesime=_millesime(_source(territoire, "reseau")),
            licence=SIMULEE if fictif else ODBL,
        ),
        Couche(
            id="carreaux",
            groupe="acces",
            titre=f"Temps d’accès : {libelle}, {dire_modes(resultat, theme)}",
            legende=legende_temps(styles),
            source=f"calcul porte à porte ({dire_hypotheses(resultat, theme)})",
            millesime=_millesime(population),
            licence=dire_licences(population, fictif=fictif),
            services=theme.ids,
            mode=theme.mode,
            opacite=0.82,
        ),
        Couche(
            id="lieux",
            groupe="offre",
            titre="Lieux de service",
            legende=tuple(EntreeLegende(s.couleur, s.libelle, "rond") for s in theme.services),
            source=", ".join(s.fichier for s in services) or "sources de services",
            millesime=_millesime(services),
            licence=dire_licences(services, fictif=fictif),
            services=theme.ids,
            visible=not theme.panier,
        ),
        Couche(
            id="limites",
            groupe="reperes",
            titre="Limites des communes",
            legende=(
                EntreeLegende(styles.fond["contour"], "limite du territoire étudié", "trait"),
                EntreeLegende(styles.fond["limite"], "limite de commune", "tirets"),
            ),
            source="découpage communal",
            millesime=_millesime(decoupage),
            licence=dire_licences(decoupage, fictif=fictif),
        ),
        Couche(id="noms", groupe="reperes", titre="Noms des communes"),
    ]


def legende_temps(styles: Styles) -> tuple[EntreeLegende, ...]:
    """Classes de temps, puis inaccessible (hachures) et sans donnée (points)."""
    classes = [
        EntreeLegende(couleur, texte)
        for couleur, texte in zip(styles.couleurs_temps, libelles_classes(styles), strict=True)
    ]
    return (
        *classes,
        EntreeLegende(styles.inaccessible_trait, "inaccessible", "hachures"),
        EntreeLegende(styles.sans_donnee_point, "sans donnée", "points"),
    )


def _source(territoire: Territoire, section: str) -> list[SourceLue]:
    return [s for s in territoire.sources if s.cle.split(".")[0] == section]


def _millesime(sources: Sequence[SourceLue]) -> str:
    return ", ".join(sorted({s.date_donnees for s in sources if s.date_donnees}))


__all__ = [
    "Theme",
    "composer_couches",
    "decrire_mode",
    "dire_hypotheses",
    "dire_modes",
    "legende_temps",
    "nommer_service",
    "poser_question",
    "regle_du_palier",
]
