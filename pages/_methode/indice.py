"""Ce que la page Méthode dit de l'indice, des analyses et du contrôle par l'INSEE."""

from __future__ import annotations

from html import escape
from typing import Final

from accessibilite.bilans.indice import FORMULE_INDICE
from couches.resultats import DOSSIER_ETUDE, lire_resultats
from couches.textes import duree, nombre, part
from donnees_geo.configuration.analyses import decrire_parametres_analyses
from donnees_geo.erreurs import ErreurProjet
from pages._commun.gabarit import tableau_simple
from pages._commun.partage import Partage


def indice_et_analyses(partage: Partage) -> str:
    """Formule de l'indice, réglages des analyses, accord de nos temps en voiture."""
    paragraphes = "".join(
        f'<p class="dh-phrase">{escape(p)}</p>' for p in FORMULE_INDICE.split("\n\n")
    )
    senior = f"{nombre(partage.parametres.vitesse_marche_senior_kmh, 1)}"
    reglages = [
        (
            _nommer_reglage(f.cle),
            f.valeur.replace("vitesse_marche_senior_kmh", senior),
            f.unite,
            f.source,
        )
        for f in decrire_parametres_analyses()
    ]
    return (
        '<h2 class="dh-section" id="indice">Indice de la demi-heure et analyses</h2>'
        + paragraphes
        + tableau_simple(("réglage", "valeur", "unité", "source"), reglages, "Réglages")
        + _controle(partage)
    )


#: Clé de réglage → ce qu'elle règle.
_REGLAGES: Final = {
    "niveaux": "Niveaux gradués",
    "nombre_choix": "Équipements cherchés par service",
    "ratios_tc": "Transport collectif face à la voiture",
    "concurrence": "Soins : services partagés",
}
_PREFIXES: Final = {"marche ": "Vitesse à pied, ", "decroissance ": "Soins : décroissance "}


def _nommer_reglage(cle: str) -> str:
    """Réglage en clair : « Vitesse à pied, 65 à 79 ans »."""
    for prefixe, texte in _PREFIXES.items():
        if cle.startswith(prefixe):
            return texte + cle.removeprefix(prefixe).replace("_", " ")
    return _REGLAGES.get(cle, cle)


def _controle(partage: Partage) -> str:
    """Écarts aux temps en voiture de l'INSEE, s'ils ont été donnés au diagnostic."""
    titre = '<h3 class="dh-h2">Temps en voiture face à ceux de l’INSEE</h3>'
    dossier = partage.territoire.dossier
    try:
        analyses = {} if dossier is None else lire_resultats(dossier / DOSSIER_ETUDE).analyses
    except (ErreurProjet, OSError, ValueError, KeyError):
        analyses = {}
    if "controle_insee" not in analyses:
        return titre + (
            '<p class="dh-phrase">Non contrôlés : donnez le fichier des distances par carreau de '
            "l’INSEE à « demi-heure diagnostiquer DOSSIER --sortie DOSSIER/etude --temps-insee "
            "FICHIER ».</p>"
        )
    libelles = {s.id: s.libelle for s in partage.territoire.services}
    lignes = [
        (
            libelles.get(str(r["service"]), str(r["service"])),
            nombre(float(r["carreaux"])),
            f"{nombre(float(r['biais_s']))} s",
            duree(float(r["ecart_absolu_median_s"])),
            duree(float(r["ecart_absolu_p90_s"])),
            nombre(float(r["correlation"]), 2),
            part(float(r["part_a_2_min"])),
        )
        for _, r in analyses["controle_insee"].iterrows()
    ]
    titres = ("service", "carreaux", "écart moyen", "écart médian", "9 fois sur 10 sous",
              "corrélation", "à 2 minutes près")  # fmt: skip
    return titre + tableau_simple(titres, lignes, "Contrôle par l’INSEE")
