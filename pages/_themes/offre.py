"""Vue « Offre » : commerces de chaque commune, leur variété, leur densité et les locaux vides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from couches.textes import nombre, part, pluriel
from donnees_geo.thematiques.commerces_categories import lire_categories
from pages._commun.etat import est_projecteur
from pages._commun.gabarit import grand_chiffre, hypothese, phrase
from pages._commun.partage import Partage
from pages._themes import donnees, ecran
from pages._themes.cercles import COMMUNE, Cercles, montrer_cercles
from pages._themes.classes import borner, couleur_classe, legende_bornes
from pages._themes.reglages import ReglagesPage

TOUTES: Final = "toutes"
FAMILLE: Final = "famille"
INDICATEUR: Final = "indicateur"
CATEGORIES_MONTREES: Final = 8


@dataclass(frozen=True)
class Indicateur:
    """Ce que dit la couleur d'un cercle : colonne, intitulé, décimales, facteur d'affichage.

    Des bornes hautes fixes rendent deux cartes comparables ; sans elles, les classes suivent les
    valeurs du territoire.
    """

    colonne: str
    intitule: str
    decimales: int
    facteur: float = 1.0
    bornes: tuple[float, ...] = ()


INDICATEURS: Final = {
    "vacance": Indicateur(
        "taux_vacance", "Locaux vacants, %", 0, 100.0, (5.0, 10.0, 15.0, 20.0, np.inf)
    ),
    "densite": Indicateur("densite_1000_hab", "Commerces pour 1 000 habitants", 1),
    "diversite": Indicateur("diversite", "Diversité (catégories équivalentes)", 1),
    "chalandise": Indicateur("chalandise", "Commerces à pied de la mairie", 0),
}


def permettre(partage: Partage) -> dict[str, list[Any]]:
    """Réglages de la vue : famille, indicateur, commune choisie."""
    lu = donnees.commerce(partage)
    connus = [
        nom for nom, i in INDICATEURS.items() if lu is None or lu.communes[i.colonne].notna().any()
    ]
    return {
        FAMILLE: [TOUTES, *dict.fromkeys(c.famille for c in lire_categories())],
        INDICATEUR: connus or ["densite"],
        COMMUNE: ["", *partage.noms_communes],
    }


def regler(partage: Partage, reglages: ReglagesPage) -> None:
    """Choix de la famille et de l'indicateur."""
    familles = {str(f): str(f).capitalize() for f in reglages.choix(FAMILLE)}
    indicateurs = {nom: i.intitule for nom, i in INDICATEURS.items()}
    ecran.choisir_dans(reglages, FAMILLE, "Famille de commerces", familles)
    ecran.choisir_dans(reglages, INDICATEUR, "Couleur des cercles", indicateurs)


def afficher(partage: Partage, reglages: ReglagesPage) -> None:
    """Afficher la vue."""
    lu = donnees.commerce(partage)
    if lu is None:
        donnees.dire_sans_commerce()
        return
    famille = str(reglages[FAMILLE])
    communes = _communes_de(partage, lu, famille)
    indicateur = INDICATEURS[str(reglages[INDICATEUR])]
    choisie = str(reglages[COMMUNE])
    quoi = "commerces" if famille == TOUTES else f"commerces de la famille « {famille} »"
    with ecran.vue(f"Où sont les {quoi} ?", "En activité, commune par commune") as (gauche, droite):
        with gauche:
            _carte(partage, reglages, communes, indicateur)
        droite.html(_panneau(partage, lu, communes, choisie, quoi))
    if est_projecteur():
        return
    ecran.section("Commune par commune")
    _tableau(reglages, communes, choisie)
    ecran.telecharger({"Communes": (communes, "commerces_communes.csv")})


def _communes_de(partage: Partage, lu: donnees.Commerce, famille: str) -> pd.DataFrame:
    """Offre par commune ; d'une famille, la vacance et les marchés restent ceux de l'ensemble."""
    communes = lu.communes
    if famille != TOUTES:
        seule = donnees.offre_de_famille(partage, famille)
        if seule is not None:
            de_famille = ["commerces", "categories", "diversite", "densite_1000_hab"]
            communes = communes.assign(**{c: seule[c].to_numpy() for c in de_famille})
    return communes.sort_values(
        ["commerces", "code_commune"], ascending=[False, True], ignore_index=True
    )


def _carte(
    partage: Partage, reglages: ReglagesPage, communes: pd.DataFrame, indicateur: Indicateur
) -> None:
    montrees = communes[communes["commerces"] > 0]
    valeurs = indicateur.facteur * montrees[indicateur.colonne].to_numpy(dtype=np.float64)
    comptes = montrees["commerces"].to_numpy(dtype=np.float64)
    bornes = indicateur.bornes or borner(valeurs, indicateur.decimales)
    montrer_cercles(
        partage,
        reglages,
        Cercles(
            montrees["code_commune"].astype(str).tolist(),
            comptes,
            [couleur_classe(v, bornes) for v in valeurs.tolist()],
            {
                "commerces": [nombre(v) for v in comptes.tolist()],
                indicateur.intitule: [nombre(v, indicateur.decimales) for v in valeurs.tolist()],
            },
            "Commerces",
            "commerces",
        ),
        f"Carte des communes : nombre de commerces et {indicateur.intitule.lower()} ; le tableau "
        "dessous dit la même chose.",
        [(indicateur.intitule, legende_bornes(bornes, indicateur.decimales))],
        cle_carte="carte_offre",
    )


def _panneau(
    partage: Partage, lu: donnees.Commerce, communes: pd.DataFrame, choisie: str, quoi: str
) -> str:
    total = float(communes["commerces"].sum())
    vacants = float(communes["locaux_vacants"].sum(min_count=1))
    sans = int((communes["commerces"] == 0).sum())
    blocs = [grand_chiffre(nombre(total), f"{quoi} en activité")]
    if np.isfinite(vacants):
        actifs = float(lu.communes["commerces"].sum())
        blocs.append(
            phrase(
                f"{pluriel(vacants, 'local vacant', 'locaux vacants')}, soit "
                f"{part(vacants / (actifs + vacants))} des locaux connus."
            )
        )
    else:
        blocs.append(
            hypothese(
                "La vacance n’est pas mesurée : la source des commerces ne relève pas les locaux "
                "vides, et aucune base nationale ouverte ne le fait."
            )
        )
    blocs.append(phrase(f"{pluriel(sans, 'commune')} sur {nombre(len(communes))} n’en ont aucun."))
    code = choisie or str(communes["code_commune"].iloc[0])
    blocs.append(_fiche(partage, communes[communes["code_commune"].astype(str) == code]))
    return "".join(blocs)


def _fiche(partage: Partage, ligne: pd.DataFrame) -> str:
    """Fiche d'une commune (table d'une ligne) : chiffres et catégories les plus présentes."""
    commune = ligne.iloc[0]
    minutes = donnees.hypotheses(partage).seuil_chalandise_s / 60
    lignes = [
        ("commerces pour 1 000 habitants", nombre(float(commune["densite_1000_hab"]), 1)),
        ("catégories présentes", nombre(float(commune["categories"]))),
        (f"commerces à {minutes:g} min à pied de la mairie", nombre(float(commune["chalandise"]))),
        ("locaux vacants", nombre(float(commune["locaux_vacants"]))),
        ("jours de marché par semaine", nombre(float(commune["jours_marche"]))),
    ]
    return (
        f'<h3 class="dh-h2">{commune["nom"]}</h3>'
        + ecran.tableau_court(("mesure", "valeur"), lignes, f"Offre de {commune['nom']}")
        + phrase(_dire_categories(partage, str(commune["code_commune"])))
    )


def _dire_categories(partage: Partage, code: str) -> str:
    table = donnees.themes(partage).commerces
    if table is None:
        return ""
    siens = table[(table["code_commune"].astype(str) == code) & ~table["vacant"]]
    if siens.empty:
        return "Aucun commerce en activité connu."
    libelles = {c.id: c.libelle for c in lire_categories()}
    comptes = siens["categorie"].astype(str).value_counts().head(CATEGORIES_MONTREES)
    suite = "…" if siens["categorie"].nunique() > CATEGORIES_MONTREES else "."
    return (
        "Surtout : "
        + ", ".join(f"{libelles.get(str(c), str(c))} ({n})" for c, n in comptes.items())
        + suite
    )


def _tableau(reglages: ReglagesPage, communes: pd.DataFrame, choisie: str) -> None:
    montre = pd.DataFrame(
        {
            "commune": communes["nom"],
            "commerces": communes["commerces"],
            "catégories": communes["categories"],
            "diversité": communes["diversite"],
            "pour 1 000 habitants": communes["densite_1000_hab"],
            "à pied de la mairie": communes["chalandise"],
            "locaux vacants": communes["locaux_vacants"],
            "vacance": communes["taux_vacance"],
            "jours de marché": communes["jours_marche"],
        }
    )
    ecran.montrer_table(
        montre,
        {
            "commerces": ecran.ENTIER,
            "diversité": ecran.DECIMAL,
            "pour 1 000 habitants": ecran.DECIMAL,
            "à pied de la mairie": ecran.ENTIER,
            "locaux vacants": ecran.ENTIER,
            "vacance": ecran.PART,
            "jours de marché": ecran.ENTIER,
        },
        cle_table="table_offre",
        codes=communes["code_commune"].astype(str).tolist(),
        choisi=choisie,
        choisir=lambda code: reglages.poser(COMMUNE, code),
    )
    st.html(
        hypothese(
            "Diversité : nombre équivalent de catégories également représentées (exponentielle de "
            "l’entropie de Shannon). À pied de la mairie : commerces en activité atteints par les "
            "rues dans la zone de chalandise."
        )
    )


VUE: Final = ecran.Vue("Offre", permettre, regler, afficher)
