"""Fenêtre de départ d'un calcul en transport collectif : options, limites et centiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from donnees_geo.configuration import Parametres
from donnees_geo.erreurs import ErreurConfiguration

CENTILES: Final = (5.0, 25.0, 50.0, 75.0, 95.0)


@dataclass(frozen=True)
class OptionsTc:
    """Fenêtre et limites d'un calcul en transport collectif.

    Attributes
    ----------
    fenetre_debut_s, fenetre_duree_s
        Départs de ``debut`` à ``debut + duree`` compris, secondes après minuit.
    pas_s
        Pas entre deux départs, s.
    duree_max_s
        Durée porte à porte maximale, s.
    trajets_max
        Nombre maximal de véhicules empruntés.
    embarquement_min_s
        Marge entre l'arrivée à pied (ou la descente) et la montée, s ; vaut pour chaque montée.
    """

    fenetre_debut_s: int
    fenetre_duree_s: int = 7200
    pas_s: int = 60
    duree_max_s: int = 3600
    trajets_max: int = 4
    embarquement_min_s: int = 60

    @property
    def minutes(self) -> NDArray[np.int32]:
        """Heures de départ, int32[j] : 121 pour deux heures."""
        fin = self.fenetre_debut_s + self.fenetre_duree_s
        return np.arange(self.fenetre_debut_s, fin + 1, self.pas_s, dtype=np.int32)


def options_tc(parametres: Parametres, fenetre_debut_s: int | None = None) -> OptionsTc:
    """Options tirées des paramètres d'étude.

    Parameters
    ----------
    parametres
        Hypothèses de ``parametres/etude.toml``.
    fenetre_debut_s
        Remplace le début de la fenêtre (retour du soir).

    Raises
    ------
    ErreurConfiguration
        Voir :func:`verifier_options`.
    """
    debut = parametres.fenetre_tc_debut_s if fenetre_debut_s is None else fenetre_debut_s
    options = OptionsTc(
        fenetre_debut_s=int(debut),
        fenetre_duree_s=int(parametres.fenetre_tc_duree_s),
        duree_max_s=int(parametres.duree_max_tc_s),
        trajets_max=parametres.trajets_max_tc,
        embarquement_min_s=parametres.embarquement_min_s,
    )
    verifier_options(options)
    return options


def verifier_options(options: OptionsTc) -> None:
    """Refuser une fenêtre ou des limites impossibles.

    Raises
    ------
    ErreurConfiguration
        Durée ou pas négatifs, aucun véhicule, marge négative, durée de plus d'un jour.
    """
    regles = (
        ("fenetre_duree_s", 0 <= options.fenetre_duree_s <= 86_400, "de 0 à 86 400 s"),
        ("pas_s", options.pas_s >= 1, "au moins 1 s"),
        ("duree_max_s", 0 < options.duree_max_s <= 86_400, "de 1 à 86 400 s"),
        ("trajets_max", options.trajets_max >= 1, "au moins 1 véhicule"),
        ("embarquement_min_s", options.embarquement_min_s >= 0, "0 s ou plus"),
    )
    for nom, correct, attendu in regles:
        if not correct:
            raise ErreurConfiguration(
                "Une option du transport collectif n'est pas valable.",
                objet=nom,
                attendu=attendu,
                trouve=getattr(options, nom),
            )


def rangs_centiles(centiles: Sequence[float], nombre: int) -> NDArray[np.intp]:
    """Rang, parmi ``nombre`` valeurs triées, de chaque centile (plus proche rang, par excès).

    Un centile est toujours un temps observé : p % des départs font au moins aussi bien.

    Examples
    --------
    >>> rangs_centiles([5, 50, 95, 100], 121).tolist()
    [6, 60, 114, 120]

    Raises
    ------
    ErreurConfiguration
        Centile hors de ]0, 100].
    """
    valeurs = np.asarray(centiles, dtype=np.float64)
    if valeurs.size == 0 or not ((valeurs > 0) & (valeurs <= 100)).all():
        raise ErreurConfiguration(
            "Un centile n'est pas valable.",
            objet="centiles",
            attendu="des nombres de 0 (exclu) à 100",
            trouve=", ".join(f"{c:g}" for c in valeurs) or "aucun",
        )
    return (np.ceil(valeurs / 100 * nombre) - 1).astype(np.intp)
