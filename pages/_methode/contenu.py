"""Contenu de la page Méthode, tiré du territoire et de l'étude ; rien n'y est écrit d'avance."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from couches.licences import decrire_sources
from couches.textes import INSECABLE, duree, jour, nombre, part, pluriel, taille
from donnees_geo.configuration import decrire_parametres
from donnees_geo.conventions import (
    LIBELLES_FONCTIONS,
    LIBELLES_MODES,
    LIBELLES_PALIERS,
    MODES_RUE,
)
from donnees_geo.erreurs import Gravite
from pages._commun.gabarit import tableau_simple
from pages._commun.partage import Partage

ORDRE_GRAVITE: Final = {g: i for i, g in enumerate(Gravite)}


def _titre(ancre: str, texte: str) -> str:
    return f'<h2 class="dh-section" id="{ancre}">{texte}</h2>'


def dire_date(texte: str) -> str:
    """Date ISO écrite à la française ; un millésime ou un autre texte reste tel quel."""
    try:
        dates = [jour(date.fromisoformat(t.strip())) for t in texte.split("/")]
    except ValueError:
        return texte or "non dite par la source"
    return dates[0] if len(dates) == 1 else f"du {dates[0]} au {dates[-1]}"


def essentiel(partage: Partage) -> str:
    """Ce qu'il faut savoir avant de lire un chiffre, en quelques phrases."""
    t = partage.territoire
    poids, par_population = partage.ponderation
    phrases = []
    if par_population:
        impute = t.carreaux["impute"].to_numpy(dtype=bool)
        total = float(poids.sum())
        taux = part(float(poids[impute].sum()) / total) if total > 0 else "–"
        phrases.append(
            f"{pluriel(round(total), 'habitant')} dans "
            f"{pluriel(len(t.carreaux), 'carreau', 'carreaux')}, dont {taux} dans des carreaux "
            "imputés par le producteur."
        )
    else:
        phrases.append("Pas de population : les parts sont des parts de surface.")
    jour_etudie = partage.resultat.jour
    phrases.append(
        f"Transport collectif du {jour(jour_etudie, semaine=True)}."
        if jour_etudie is not None
        else "Pas de transport collectif dans l’étude."
    )
    majeurs = [c for c in t.constats if c.gravite is not Gravite.MINEUR]
    phrases.append(
        f"{pluriel(len(majeurs), 'constat pèse', 'constats pèsent')} sur les résultats ; les "
        "autres sont bons à savoir."
        if majeurs
        else "Aucun constat ne pèse sur les résultats."
    )
    marche, velo = partage.parametres.vitesse_marche_kmh, partage.parametres.vitesse_velo_kmh
    phrases.append(
        f"Marche à {nombre(marche, 1)}{INSECABLE}km/h, vélo à {nombre(velo)}{INSECABLE}km/h ; "
        "tout se compte sur les rues, jamais à vol d’oiseau."
    )
    return f'<p class="dh-phrase">{escape(" ".join(phrases))}</p>'


def sources(partage: Partage) -> str:
    """Fichiers lus, leur date, leur licence et leur empreinte."""
    territoire = partage.territoire
    lignes = [
        (
            decrite.contenu,
            source.fichier,
            dire_date(source.date_donnees),
            decrite.licence,
            taille(source.taille_octets),
            source.empreinte[:12],
        )
        for source, decrite in zip(territoire.sources, decrire_sources(territoire), strict=True)
    ]
    titres = ("donnée", "fichier", "millésime ou date", "licence", "taille", "empreinte SHA-256")
    return _titre("sources", "Sources") + tableau_simple(titres, lignes, "Sources")


def qualite(partage: Partage) -> str:
    """Carreaux imputés, points non rattachés, qualité des positions, dates des horaires."""
    t = partage.territoire
    poids, par_population = partage.ponderation
    lignes: list[tuple[str, str]] = [
        ("Communes", nombre(len(t.communes))),
        ("Carreaux habités", nombre(len(t.carreaux))),
    ]
    if par_population:
        impute = t.carreaux["impute"].to_numpy(dtype=bool)
        habitants = float(poids.sum())
        lignes += [
            ("Habitants", nombre(habitants)),
            (
                "Carreaux imputés par le producteur (secret statistique)",
                f"{nombre(int(impute.sum()))}, soit "
                f"{pluriel(round(float(poids[impute].sum())), 'habitant')} "
                f"({part(float(poids[impute].sum()) / habitants) if habitants else '–'})",
            ),
        ]
    for mode in (m for m in MODES_RUE if m in partage.resultat.modes):
        lignes.append(
            (
                f"Sans rue praticable {LIBELLES_MODES[mode]} à moins de "
                f"{nombre(partage.parametres.rattachement_max_m)}{INSECABLE}m, donc sans temps",
                dire_non_rattaches(
                    ~partage.cibles(mode).carreaux.rattaches, poids, par_population=par_population
                ),
            )
        )
    compte = t.equipements["qualite"].astype(str).value_counts()
    for niveau in ("bonne", "acceptable", "mauvaise", "inconnue"):
        if niveau in compte.index:
            lignes.append(
                (
                    f"Lieux de service à position de qualité {niveau}",
                    f"{nombre(int(compte[niveau]))} sur {nombre(len(t.equipements))}",
                )
            )
    lignes += _horaires(partage)
    return _titre("qualite", "Qualité des données") + tableau_simple(
        ("mesure", "valeur"), lignes, "Qualité des données"
    )


def dire_non_rattaches(
    seuls: NDArray[np.bool_], poids: NDArray[np.float64], *, par_population: bool
) -> str:
    """Carreaux qu'aucune rue ne dessert, et combien d'habitants y vivent.

    Examples
    --------
    >>> dire_non_rattaches(np.array([False, False]), np.array([3.0, 4.0]), par_population=True)
    'aucun carreau, aucun habitant'
    """
    nombre_carreaux = int(np.count_nonzero(seuls))
    carreaux = pluriel(nombre_carreaux, "carreau", "carreaux") if nombre_carreaux else ""
    if not par_population:
        return carreaux or "aucun carreau"
    concernes, total = float(poids[seuls].sum()), float(poids.sum())
    if round(concernes) == 0:
        return f"{carreaux or 'aucun carreau'}, aucun habitant"
    taux = part(concernes / total) if total > 0 else "–"
    return f"{carreaux}, {pluriel(round(concernes), 'habitant')} ({taux})"


def _horaires(partage: Partage) -> list[tuple[str, str]]:
    offre = partage.territoire.offre
    if offre is None:
        return [("Horaires de transport collectif", "aucun n’est fourni")]
    debut, fin = offre.validite
    lignes = [("Validité des horaires", f"du {jour(debut)} au {jour(fin)}")]
    etudie = partage.resultat.jour
    if etudie is not None:
        lignes.append(("Jour étudié", jour(etudie, semaine=True)))
    return lignes


def constats(partage: Partage) -> str:
    """Limites relevées à la préparation et au calcul, les plus graves d'abord."""
    tous = {*partage.territoire.constats, *partage.resultat.constats}
    lignes = [
        (c.gravite.value, c.objet, c.message)
        for c in sorted(tous, key=lambda c: (ORDRE_GRAVITE[c.gravite], c.objet, c.message))
    ]
    corps = tableau_simple(("gravité", "objet", "constat"), lignes, "Constats")
    return _titre("constats", "Constats") + (corps if lignes else "<p>Aucun constat.</p>")


def hypotheses(partage: Partage) -> str:
    """Paramètres de l'étude, leur unité et leur source."""
    lignes = [(f.cle, f.valeur, f.unite, f.source) for f in decrire_parametres()]
    regles = [
        (
            LIBELLES_PALIERS[r.palier],
            duree(r.seuil_s),
            " ou ".join(LIBELLES_MODES[m] for m in r.modes),
            ", ".join(s.libelle for s in partage.territoire.services if s.palier == r.palier),
        )
        for r in partage.parametres.seuils
    ]
    return (
        _titre("hypotheses", "Hypothèses")
        + tableau_simple(("palier", "seuil", "modes admis", "services"), regles, "Paliers")
        + "<p></p>"
        + tableau_simple(("paramètre", "valeur", "unité", "source"), lignes, "Paramètres")
    )


DEFINITIONS: Final = (
    (
        "Temps d’accès",
        "Durée porte à porte du carreau au plus proche équipement : marche jusqu’à la rue, trajet "
        "dans les rues ouvertes au mode, marche jusqu’à l’entrée. Il est mesuré sur le réseau, "
        "jamais à vol d’oiseau.",
    ),
    (
        "Carreau",
        "Maille de 200 m où l’Insee publie la population ; un carreau isolé ne se lit pas seul.",
    ),
    (
        "Desservi",
        "Habitant dont le carreau est à un temps inférieur ou égal au seuil. Les carreaux sans "
        "donnée restent dans le total.",
    ),
    (
        "Palier, tous les services",
        "Habitant qui atteint tous les services du palier à la fois ; les services sans aucun lieu "
        "connu ne comptent pas.",
    ),
    (
        "Règle du palier",
        "Le plus rapide des modes admis par le projet de territoire compte.",
    ),
    (
        "Inaccessible, sans donnée",
        "Inaccessible : aucun trajet n’existe. Sans donnée : carreau trop loin de toute rue, ou "
        "service sans lieu connu. Ce ne sont pas des zéros.",
    ),
    (
        "Isochrone",
        "Rues atteintes dans le temps donné, coupées exactement au seuil, puis élargies pour se "
        "voir. C’est une image : habitants et services sont comptés sur le réseau. Les îlots non "
        "desservis restent vides.",
    ),
    (
        "Effets de bord",
        "Rues et services sont lus au-delà du territoire ; seuls ses habitants sont comptés.",
    ),
)


def definitions(partage: Partage) -> str:
    """Mots employés, et services par fonction."""
    libelles = {s.id: s.libelle for s in partage.territoire.services}
    services = [
        (
            " ou ".join(
                (s.libelle, *(libelles[a] for a in s.satisfait_aussi_par if a in libelles))
            ),
            LIBELLES_PALIERS[s.palier],
            LIBELLES_FONCTIONS.get(s.fonction, s.fonction),
            nombre(int((partage.territoire.equipements["service"] == s.id).sum())),
        )
        for s in partage.territoire.services
    ]
    return (
        _titre("definitions", "Définitions")
        + tableau_simple(("mot", "sens"), DEFINITIONS, "Définitions")
        + "<p></p>"
        + tableau_simple(("service", "palier", "fonction", "lieux connus"), services, "Services")
    )


def durees(partage: Partage) -> str:
    """Durée de chaque étape de la préparation et du calcul."""
    lignes = [
        (etape, "préparation", f"{nombre(s, 2)}{INSECABLE}s")
        for etape, s in partage.territoire.durees_s.items()
    ]
    origine = "étude relue du disque" if partage.etude_relue else "étude"
    lignes += [
        (etape, origine, f"{nombre(s, 2)}{INSECABLE}s")
        for etape, s in partage.resultat.durees_s.items()
    ]
    return _titre("durees", "Durées de calcul") + tableau_simple(
        ("étape", "quand", "durée"), lignes, "Durées"
    )
