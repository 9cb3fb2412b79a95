"""Vue « Marchés » : qui a un marché à portée, jour par jour, et leur zone de chalandise."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
import streamlit as st

from couches.couche import EntreeLegende
from couches.ecran.petit_fond import Entite, entite, noms_a_l_ecart
from couches.ecran.petite_carte import assembler, calque_communes, calque_points
from couches.textes import duree, nombre, part, pluriel
from donnees_geo.conventions import JOURS
from pages._commun.etat import est_projecteur
from pages._commun.gabarit import grand_chiffre, hypothese, phrase
from pages._commun.partage import Partage
from pages._themes import donnees, ecran
from pages._themes.classes import couleur_part, legende_parts
from pages._themes.reglages import ReglagesPage

JOUR: Final = "marche"
COMMUNE: Final = "commune"
COULEUR_MARCHE: Final = "#8c2d04"


def permettre(partage: Partage) -> dict[str, list[Any]]:
    """Réglages de la vue : jour, commune choisie."""
    return {JOUR: list(JOURS), COMMUNE: ["", *partage.noms_communes]}


def regler(partage: Partage, reglages: ReglagesPage) -> None:
    """Choix du jour."""
    ecran.choisir_dans(reglages, JOUR, "Jour de marché", {j: j for j in JOURS})


def afficher(partage: Partage, reglages: ReglagesPage) -> None:
    """Afficher la vue."""
    lu = donnees.commerce(partage)
    if lu is None:
        donnees.dire_sans_commerce()
        return
    if lu.marches is None or lu.chalandise is None:
        st.html(phrase("Aucun marché n’est connu de ce territoire."))
        return
    nom_jour = str(reglages[JOUR])
    jour = JOURS.index(nom_jour)
    choisie = str(reglages[COMMUNE])
    communes = parts_par_jour(lu.marches)
    minutes = duree(donnees.hypotheses(partage).seuil_proximite_s)
    with ecran.vue(
        f"Qui a un marché à portée le {nom_jour} ?", f"À {minutes} à pied ou à vélo"
    ) as (gauche, droite):
        with gauche:
            _carte(partage, reglages, communes, jour, choisie)
        droite.html(_panneau(lu, communes, jour, choisie, minutes))
    if est_projecteur():
        return
    ecran.section("Part des habitants qui ont un marché à portée, commune par commune")
    _tableau_communes(reglages, communes, choisie)
    ecran.section(
        "Zone de chalandise des marchés "
        f"({duree(donnees.hypotheses(partage).seuil_chalandise_s)} à pied)"
    )
    _tableau_marches(lu.chalandise)
    st.html(
        hypothese(
            "Habitants et commerces comptés sur le réseau de rues, vers le marché "
            f"({nombre(partage.parametres.vitesse_marche_kmh, 1)} km/h à pied). Un marché de jour "
            "inconnu ne compte dans aucun jour."
        )
    )
    ecran.telecharger(
        {
            "Marché à portée par jour": (lu.marches, "marches_par_jour.csv"),
            "Zones de chalandise": (lu.chalandise, "marches_chalandise.csv"),
        }
    )


def parts_par_jour(marches: pd.DataFrame) -> pd.DataFrame:
    """Part des habitants desservis, une ligne par commune et une colonne par jour (0 à 6).

    Returns
    -------
    pandas.DataFrame
        Index : code de commune ; ``nom``, puis les sept jours ; de la mieux desservie, tous jours
        réunis, à la moins.
    """
    lignes = marches[marches["zone_type"] == "commune"]
    table = lignes.pivot_table(
        index="zone_code", columns="jour", values="part_desservie", dropna=False
    ).reindex(columns=range(len(JOURS)))
    table.columns = pd.Index(range(len(JOURS)))
    noms = lignes.drop_duplicates("zone_code").set_index("zone_code")["zone_nom"]
    table.insert(0, "nom", noms.reindex(table.index))
    total = table[list(range(len(JOURS)))].sum(axis=1)
    ordre = np.lexsort((table["nom"].to_numpy(dtype=str), -total.to_numpy()))
    return table.iloc[ordre]


def _carte(
    partage: Partage,
    reglages: ReglagesPage,
    communes: pd.DataFrame,
    jour: int,
    choisie: str,
) -> None:
    formes = donnees.formes_communes(partage)
    parts = communes[jour]
    teintes = [
        entite(
            forme,
            {
                "code": code,
                "commune": str(partage.noms_communes[code]),
                "part": part(float(parts.get(code, np.nan)), 0),
                "couleur": couleur_part(float(parts.get(code, np.nan))),
                "choisie": code == choisie,
            },
        )
        for code, forme in formes.items()
    ]
    lieux = _lieux(partage, jour)
    carte = assembler(
        donnees.fond(partage),
        [
            calque_communes(teintes, {"commune": "commune", "part": "ont un marché à portée"}),
            calque_points(lieux, {"marche": "marché", "lieu": "lieu"}),
        ],
        f"Carte des communes : part des habitants qui ont un marché à portée le {JOURS[jour]}, et "
        "marchés de ce jour ; le tableau dessous dit la même chose.",
        noms=noms_a_l_ecart(donnees.fond(partage), lieux),
    )
    ecran.montrer_carte(
        carte,
        [
            ecran.legende_signes("Habitants qui ont un marché à portée", legende_parts(sans=True)),
            ecran.legende_signes(
                "Marchés", [EntreeLegende(COULEUR_MARCHE, f"tenu le {JOURS[jour]}", "rond")]
            ),
        ],
        cle_carte="carte_marches",
        choisir=lambda code: reglages.poser(COMMUNE, code),
    )


def _lieux(partage: Partage, jour: int) -> list[Entite]:
    marches = donnees.themes(partage).marches
    if marches is None:
        return []
    du_jour = marches[marches["jour"] == jour]
    xy = shapely.get_coordinates(shapely.point_on_surface(du_jour.geometry.to_numpy()))
    return [
        {
            "x": round(float(x)),
            "y": round(float(y)),
            "marche": str(nom),
            "lieu": str(lieu),
            "couleur": COULEUR_MARCHE,
            "bord": "#ffffff",
            "taille": 130.0,
            "choisie": False,
        }
        for (x, y), nom, lieu in zip(xy, du_jour["nom"], du_jour["lieu"], strict=True)
    ]


def _panneau(
    lu: donnees.Commerce, communes: pd.DataFrame, jour: int, choisie: str, minutes: str
) -> str:
    if lu.marches is None:
        return ""
    semaine = {
        int(ligne["jour"]): ligne
        for ligne in lu.marches[lu.marches["zone_type"] == "territoire"].to_dict("records")
    }
    ligne = semaine[jour]
    sans = int((communes[jour] <= 0).sum())
    blocs = [
        grand_chiffre(
            part(float(ligne["part_desservie"])),
            f"des habitants ({nombre(float(ligne['population_desservie_hab']))}) ont un marché à "
            f"{minutes} à pied ou à vélo",
        ),
        phrase(
            f"{pluriel(float(ligne['marches']), 'marché')} ce jour-là ; "
            f"{pluriel(sans, 'commune')} sur {nombre(len(communes))} sans personne à portée."
        ),
        '<h3 class="dh-h2">La semaine</h3>',
        ecran.tableau_court(
            ("jour", "marchés", "habitants", "part"),
            [
                (
                    nom,
                    nombre(float(semaine[j]["marches"])),
                    nombre(float(semaine[j]["population_desservie_hab"])),
                    part(float(semaine[j]["part_desservie"]), 0),
                )
                for j, nom in enumerate(JOURS)
            ],
            "Marché à portée selon le jour",
        ),
    ]
    if choisie in communes.index:
        sienne = communes.loc[[choisie]]
        jours = [nom for j, nom in enumerate(JOURS) if float(sienne[j].iloc[0]) >= 0.5]
        texte = f"le {', le '.join(jours)}" if jours else "aucun jour de la semaine"
        blocs.append(
            phrase(
                f"{sienne['nom'].iloc[0]} : la moitié des habitants au moins a un marché à portée "
                f"{texte}."
            )
        )
    return "".join(blocs)


def _tableau_communes(reglages: ReglagesPage, communes: pd.DataFrame, choisie: str) -> None:
    montre = communes.set_axis(["commune", *JOURS], axis="columns")
    ecran.montrer_table(
        montre.reset_index(drop=True),
        dict.fromkeys(JOURS, ecran.PART),
        cle_table="table_marches_communes",
        codes=communes.index.astype(str).tolist(),
        choisi=choisie,
        choisir=lambda code: reglages.poser(COMMUNE, code),
    )


def _tableau_marches(chalandise: pd.DataFrame) -> None:
    table = chalandise.sort_values("population_hab", ascending=False)
    ecran.montrer_table(
        pd.DataFrame(
            {
                "marché": table["nom"],
                "jour": [JOURS[j] if j >= 0 else "inconnu" for j in table["jour"]],
                "habitants": table["population_hab"].round(),
                "commerces": table["commerces"],
                "locaux vacants": table["locaux_vacants"],
                "diversité": table["diversite"],
            }
        ),
        {
            "habitants": ecran.ENTIER,
            "commerces": ecran.ENTIER,
            "diversité": ecran.DECIMAL,
        },
        cle_table="table_marches",
        hauteur=330,
    )


VUE: Final = ecran.Vue("Marchés", permettre, regler, afficher)
