"""Formats français : nombres, parts, durées, dates ; espaces insécables, jamais de virgule fixe."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Final

#: Espace insécable étroite (milliers) et insécable (avant « % », unités).
FINE: Final = "\u202f"
INSECABLE: Final = "\u00a0"
MOIS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre"),
    *("octobre", "novembre", "décembre"),
)
JOURS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def nombre(valeur: float, decimales: int = 0) -> str:
    """Nombre à la française : 12 345 ; 3,6 ; tiret sans valeur."""
    if not math.isfinite(valeur):
        return "–"
    texte = f"{valeur:,.{decimales}f}"
    if float(texte.replace(",", "")) == 0:
        texte = texte.lstrip("-")
    return texte.replace(",", FINE).replace(".", ",").replace("-", "\u2212")


def part(valeur: float, decimales: int = 1) -> str:
    """Part en pourcentage : 42,6 % ; une part incomplète n'est jamais arrondie à 100 %."""
    if not math.isfinite(valeur):
        return "–"
    pas = 10.0 ** -(decimales + 2)
    if 0 < valeur < 1:
        # « 100 % » et « 0 % » se lisent comme tous et personne.
        valeur = min(max(round(valeur, decimales + 2), pas), 1 - pas)
    return f"{nombre(100 * valeur, decimales)}{INSECABLE}%"


def taille(octets: float) -> str:
    """Taille d'un fichier : 812 octets, 45 ko, 3,4 Mo, 1,2 Go."""
    if octets < 1000:
        return f"{nombre(octets)}{INSECABLE}octet{'s' if octets >= 2 else ''}"
    unites = ("ko", "Mo", "Go")
    rang = min(int(math.log10(octets) // 3), len(unites))
    valeur = octets / 1000**rang
    if round(valeur, 1) >= 1000 and rang < len(unites):
        rang, valeur = rang + 1, valeur / 1000
    return f"{nombre(valeur, 1 if valeur < 9.95 else 0)}{INSECABLE}{unites[rang - 1]}"


def duree(secondes: float) -> str:
    """Durée : 12 min, 1 h 05, « inaccessible » pour l'infini, tiret sans donnée."""
    if math.isnan(secondes):
        return "–"
    if math.isinf(secondes):
        return "inaccessible"
    minutes = round(secondes / 60)
    if minutes < 60:
        return f"{minutes}{INSECABLE}min"
    return f"{minutes // 60}{INSECABLE}h{INSECABLE}{minutes % 60:02d}"


def heure(secondes: float) -> str:
    """Heure d'horloge : 7 h 30 (au-delà de minuit, 25 h 10 reste 1 h 10 le lendemain)."""
    minutes = round(secondes / 60)
    lendemain = " le lendemain" if minutes >= 1440 else ""
    h, m = divmod(minutes % 1440, 60)
    suite = f"{INSECABLE}{m:02d}" if m else ""
    return f"{h}{INSECABLE}h{suite}{lendemain}"


def jour(valeur: date, *, semaine: bool = False) -> str:
    """Date : 1er mars 2026, ou mardi 17 mars 2026."""
    quantieme = "1er" if valeur.day == 1 else str(valeur.day)
    texte = f"{quantieme}{INSECABLE}{MOIS[valeur.month - 1]} {valeur.year}"
    return f"{JOURS[valeur.weekday()]} {texte}" if semaine else texte


def dire_dates(texte: str, *, chiffres: bool = False) -> str:
    """Date ou période ISO écrite à la française ; un millésime reste tel quel.

    Examples
    --------
    >>> dire_dates("2026-01-05", chiffres=True)
    '05/01/2026'
    >>> dire_dates("2025-09-01 / 2026-08-31", chiffres=True)
    '01/09/2025–31/08/2026'
    >>> dire_dates("2024")
    '2024'
    """
    try:
        dates = [date.fromisoformat(t.strip()) for t in texte.split("/")]
    except ValueError:
        return texte
    if chiffres:
        return "–".join(f"{d:%d/%m/%Y}" for d in dates)
    return jour(dates[0]) if len(dates) == 1 else f"du {jour(dates[0])} au {jour(dates[-1])}"


def distance(metres: float) -> str:
    """Distance : 850 m, 3,6 km."""
    if not math.isfinite(metres):
        return "–"
    if metres < 995:
        return f"{nombre(round(metres, -1))}{INSECABLE}m"
    return f"{nombre(metres / 1000, 1)}{INSECABLE}km"


def surface(metres_carres: float) -> str:
    """Surface : 3,4 km², 12 ha."""
    if not math.isfinite(metres_carres):
        return "–"
    if metres_carres < 1e6:
        return f"{nombre(metres_carres / 1e4)}{INSECABLE}ha"
    return f"{nombre(metres_carres / 1e6, 1)}{INSECABLE}km²"


def pluriel(compte: float, singulier: str, forme_plurielle: str | None = None) -> str:
    """Nombre accordé : 1 habitant, 2 habitants (zéro et un sont au singulier)."""
    mot = singulier if abs(compte) < 2 else (forme_plurielle or singulier + "s")
    return f"{nombre(compte)}{INSECABLE}{mot}"


def compter_juste(valeurs: Iterable[float]) -> list[int]:
    """Arrondir une répartition sans que la somme des arrondis s'écarte de l'arrondi de la somme.

    Chaque terme est la différence de deux cumuls arrondis : les sommes partielles sont justes
    aussi.

    Examples
    --------
    >>> compter_juste([7600.4, 2666.6, 6.5])
    [7600, 2667, 7]
    >>> compter_juste([0.4, 0.4, 0.4])
    [0, 1, 0]
    """
    cumul, precedent, comptes = 0.0, 0, []
    for valeur in valeurs:
        cumul += valeur
        comptes.append(round(cumul) - precedent)
        precedent = round(cumul)
    return comptes


def cle_de_tri(nom: str) -> str:
    """Clé de l'ordre alphabétique français : accents, casse et traits d'union n'y comptent pas.

    Examples
    --------
    >>> sorted(["Hurloy", "Hébloy", "Le Mont", "Œuf"], key=cle_de_tri)
    ['Hébloy', 'Hurloy', 'Le Mont', 'Œuf']
    """
    plat = unicodedata.normalize("NFKD", nom.casefold().replace("œ", "oe").replace("æ", "ae"))
    plat = "".join(c for c in plat if not unicodedata.combining(c))
    return plat.replace("-", " ").replace("’", "'")


def de(nom: str) -> str:
    """Complément « de » élidé devant une voyelle : d'Artois, de Bruay, du Touquet, des Loges."""
    minuscule = nom.lower()
    if minuscule.startswith("le "):
        return f"du {nom[3:]}"
    if minuscule.startswith("les "):
        return f"des {nom[4:]}"
    if minuscule[:1] and minuscule[0] in "aeiouyàâäéèêëîïôöùûüœæ":
        return f"d’{nom}"
    return f"de {nom}"
