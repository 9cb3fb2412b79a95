"""Noms inventés : communes, rivières, rues, enseignes.

Aucun nom de commune n'est celui d'une commune française (comparés, sans casse ni accents, à la
liste du code officiel géographique 2026, mots composés compris) : une donnée simulée ne doit
jamais porter le nom d'un lieu réel.
"""

from __future__ import annotations

from typing import Final

NOM_TERRITOIRE: Final = "Agglomération du Val d'Orvenne (territoire fictif)"

_COMMUNES: Final = """
Liévines Cambevin Hurleval Vimbelles Norvette Lambignies Hautelin Fresnempré Salvelin
Fauquinghen Malvinghen Calvette Servehem Berlebecq Locrempré Molvempré Hébloy Dourvines Vimbée
Vimbancourt Rambreau Lagnières Vaudrines Ferveval Esclemont Lambancourt Réblelles Hautempré
Guarbemont Thiévevin Calvignies Tourminghen Calvières Vervincourt Guarbecourt Lespehem
Lagninghem Gauveghem Vaudrières Rébleghem Fauquevin Fauqueval Norvelin Bremehem Salvecourt
Hautières Quesvemont Cambelles Héblancourt Corvehem Hintières Souvehem Tourmessart Rambrebecq
Oblineau Berlemont Ouvehem Chéreghem Vaudreux Tourmoy Lagneghem Cambincourt Estringhen Mouvevin
Wambinghen Lambières Lagnelin Aubrelles Lourvehem Wisquelles Wavrempré Bouvecourt Glomecourt
Esclancourt Fresninghen Fresnines Hurloy Rouvrevin Vaudrempré Merlette Herveau Chérempré
Locrebecq Vervehem Hurlevin Florelin Cambebecq Mouvincourt Glomehem Crestempré Berlerville
Oblinecourt Florignies Guarbin Tangremont Guarbinghem Wisquebecq Bremeval Pernelin Corvevin
Esclignies Tangrelin Florevin Fauquin Rouvrières Merlehem Parvignies Pernebecq Parvancourt
Hervevin Éblessart Aubrelin Dourvevin Wisquessart Corvinghem Liévières Hervelles Floreghem
Parvines Servessart Nédrancourt Nédremont Ouvelin Rambremont Mouvemont Souvinghem Liévinghem
Molvignies Estrincourt Wambelin Crestebecq Marbancourt Norvehem Fresneval Bremempré Héblières
Lourvée Réblebecq Merloy Rambringhem Molvemont Wamberville Aubreval Hervemont Molvinghen
Wavrerville Hinterville Tourmeghem Quesvempré Rouvrebecq Vimbeghem Hautincourt Esclin Marbelin
Aubreau Berlevin Ferveau Haldempré Crestelles Héblessart Lespeval Haldignies Liévebecq Merleghem
Vervecourt Haldemont Calvemont Hervin Rouvreghem Éblières Wavrebecq Mouvières Marboy Quesvevin
Tangringhen Ouvelles Oblinelin Hintecourt Berlempré Fervoy Cresteghem Norvoy Merlée Bremevin
Thiévebecq Hurlinghem Wisquoy Gauvemont Oblinignies Hautancourt Vervinghen Marbeghem Salvancourt
Estressart Rébleau Lourvoy Pernecourt Wisquinghen Locrincourt Souveghem Chérebecq Quesvée
Éblinghen Gauvehem Wambinghem Fresnignies Locreval Chéringhen Tourmehem Souvelles Réblessart
Lourvinghem Fervin Ouveval Dourveval Chérines Parveghem Salveval Thiévée Lambincourt Malveval
Lourvin Gauvessart Pernières Tangrempré Estrignies Haldelin
"""
#: Noms de communes inventés.
NOMS_COMMUNES: Final[tuple[str, ...]] = tuple(_COMMUNES.split())

_RIVIERES: Final = """
Hévre Sorbe Larque Oustre Crévie Blérie Nerve Sarvin Ternelle Loubre Quérie Aubrelle Vauzelle
Ravine Brunelle Fauvelle Jonquière Limace Malette Navarde Orvelle Pivette Rosnelle Ussette
Viviere Zinelle Sauvette Drouelle Coulette Carvine Esquerre Marquelle Haudrie
Bourrelle Planquette Courgain Bimbelle Vasque Lambrie
"""
#: Noms de rivières inventés, par ordre de taille.
NOMS_RIVIERES: Final[tuple[str, ...]] = tuple(_RIVIERES.split())

#: Voies des centres.
RUES_CENTRE: Final[tuple[str, ...]] = (
    "Grand-Place",
    "Rue de l'Église",
    "Rue du Marché",
    "Rue de la Mairie",
    "Rue des Écoles",
    "Rue Neuve",
    "Rue du Beffroi",
    "Rue des Tanneurs",
    "Rue de la Halle",
    "Rue du Puits",
    "Rue des Drapiers",
    "Rue de la Poste",
    "Rue du Cloître",
    "Rue des Merciers",
    "Rue du Vieux-Pont",
    "Rue de l'Abreuvoir",
    "Rue des Brasseurs",
    "Rue du Théâtre",
    "Rue de la Digue",
    "Rue des Remparts",
    "Place du Jeu-de-Balle",
    "Rue du Grand-Four",
)
#: Voies des faubourgs et des villages.
RUES_ORDINAIRES: Final[tuple[str, ...]] = (
    "Rue du Moulin",
    "Rue des Tilleuls",
    "Rue du Stade",
    "Rue des Jardins",
    "Rue du Calvaire",
    "Rue de la Gare",
    "Rue du Château-d'Eau",
    "Rue des Charmes",
    "Rue du Marais",
    "Rue de la Chapelle",
    "Rue des Prés",
    "Rue du Tordoir",
    "Rue de la Brasserie",
    "Rue du Vert-Bois",
    "Rue des Haies",
    "Rue de la Ferme",
    "Rue du Bois",
    "Rue d'En-Haut",
    "Rue d'En-Bas",
    "Rue de la Briqueterie",
    "Rue des Sablons",
    "Rue du Pâtis",
    "Rue des Peupliers",
    "Rue de la Couture",
    "Rue du Courant",
    "Rue des Aubépines",
    "Rue de la Sucrerie",
    "Rue du Fort",
    "Rue des Warets",
    "Rue de la Motte",
    "Rue du Flot",
    "Rue Anselme-Dourlet",
    "Rue Célestin-Havrel",
    "Rue Léonie-Vasquel",
    "Rue Omer-Tincq",
    "Rue Zélie-Brasme",
    "Rue Aimé-Courvelle",
    "Rue Philomène-Wallard",
    "Rue Edgar-Lutun",
)
#: Voies des cités minières.
RUES_CORONS: Final[tuple[str, ...]] = (
    "Rue de la Fosse 2",
    "Rue de la Fosse 3",
    "Rue de la Fosse 5",
    "Rue des Porions",
    "Rue des Galibots",
    "Rue de la Lampisterie",
    "Rue du Chevalement",
    "Rue des Haveurs",
    "Rue de la Cage",
    "Rue des Herscheuses",
    "Rue du Carreau",
    "Rue de la Veine",
    "Rue des Boiseurs",
    "Rue de la Cokerie",
    "Rue du Terril",
    "Rue des Palombes",
)
#: Voies des lotissements.
RUES_LOTISSEMENTS: Final[tuple[str, ...]] = (
    "Allée des Mésanges",
    "Allée des Fauvettes",
    "Allée des Bleuets",
    "Impasse des Lilas",
    "Allée des Érables",
    "Impasse des Genêts",
    "Allée des Coquelicots",
    "Allée des Hirondelles",
    "Résidence du Parc",
    "Impasse des Noisetiers",
    "Allée des Sorbiers",
    "Clos des Vergers",
    "Allée des Pinsons",
    "Impasse des Iris",
    "Clos du Colombier",
    "Allée des Roitelets",
)
#: Voies vertes.
VOIES_VERTES: Final[tuple[str, ...]] = ("Voie verte du canal",)
#: Chemins ruraux.
CHEMINS: Final[tuple[str, ...]] = (
    "Chemin des Meuniers",
    "Chemin de la Justice",
    "Chemin des Ânes",
    "Chemin du Bac",
    "Chemin Vert",
    "Chemin des Postes",
    "Voie des Gaulois",
    "Chemin du Mont",
)
#: Zones d'activités.
RUES_ACTIVITES: Final[tuple[str, ...]] = (
    "Rue de l'Industrie",
    "Avenue de la Fonderie",
    "Rue des Métiers",
    "Rue de l'Artisanat",
    "Boulevard de la Logistique",
    "Rue des Entrepôts",
)
