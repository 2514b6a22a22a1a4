"""What people say of a brand, by language and class: own sentences with a place for the brand's name, and their frames.

`{b}` is the brand. A frame goes around a sentence (`{s}`), with a tail that says when or where, so that few people say
the very same.
"""

from typing import NamedTuple


class Phrases(NamedTuple):
    """Sentences by class, of everyday and of the crisis; frames and tails that change no feeling."""

    negative: tuple[str, ...]
    neutral: tuple[str, ...]
    positive: tuple[str, ...]
    crisis: tuple[str, ...]
    frames: tuple[str, ...]
    tails: tuple[str, ...]


PHRASES: dict[str, Phrases] = {
    "en": Phrases(
        negative=(
            "my {b} kettle stopped working after two weeks and nobody answers",
            "{b} raised the prices again, and the quality gets worse",
            "third time this month that {b} delivers the wrong order",
            "I regret buying from {b}, what a waste of money",
            "the new {b} app is slow, ugly and keeps crashing",
            "customer service at {b} hung up on me twice, awful",
        ),
        neutral=(
            "does anybody know when the {b} shop in the station opens?",
            "{b} presents its new kettle on Thursday at ten",
            "which size of filter does the {b} pot take?",
            "{b} has 40 shops in three countries, says the paper",
            "picked up a parcel at {b} on the way to work",
            "comparing the {b} kettle with two others, table follows",
        ),
        positive=(
            "the new {b} kettle is wonderful, best thing in my kitchen",
            "{b} replaced my broken lid in one day, thank you so much",
            "love the smell when you walk into a {b} shop",
            "so happy with {b}, great coffee and kind people",
            "five years with my {b} pot and it still works perfectly",
            "{b} really got it right this time, I am impressed",
        ),
        crisis=(
            "my {b} kettle caught fire this morning, this is dangerous",
            "{b} knew about the burning kettles and said nothing, shame on you",
            "do NOT use your {b} kettle, mine melted on the stove, furious",
            "recall of all {b} kettles and their hotline is dead, disgusting",
            "my kitchen is black because of {b}, never again",
        ),
        frames=(
            "{s}",
            "{s}.",
            "{s}!",
            "Well, {s}",
            "ok so {s}",
            "Today: {s}",
            "{s} #kettle",
            "{s} @friend",
            "Again: {s}",
        ),
        tails=(
            "",
            " since Monday",
            " in Leeds",
            " near the station",
            " as of today",
            " on the second floor",
            " at my parents' place",
            " in week 47",
            " this time in Bristol",
            " according to my neighbour",
            " (third floor)",
            " around noon",
        ),
    ),
    "es": Phrases(
        negative=(
            "mi hervidor de {b} dejó de funcionar a las dos semanas y nadie responde",
            "{b} vuelve a subir los precios y la calidad es cada vez peor",
            "tercera vez este mes que {b} me entrega un pedido equivocado",
            "me arrepiento de comprar en {b}, dinero tirado",
            "la nueva aplicación de {b} es lenta, fea y se cierra sola",
            "la atención al cliente de {b} es horrible, me colgaron dos veces",
        ),
        neutral=(
            "¿alguien sabe a qué hora abre la tienda de {b} de la estación?",
            "{b} presenta su nuevo hervidor el jueves a las diez",
            "¿qué tamaño de filtro usa la jarra de {b}?",
            "{b} tiene 40 tiendas en tres países, según el periódico",
            "he recogido un paquete en {b} de camino al trabajo",
            "comparo el hervidor de {b} con otros dos, luego pongo la tabla",
        ),
        positive=(
            "el nuevo hervidor de {b} es una maravilla, lo mejor de mi cocina",
            "{b} me cambió la tapa rota en un día, muchísimas gracias",
            "me encanta cómo huele una tienda de {b}",
            "muy contenta con {b}, café buenísimo y gente amable",
            "cinco años con mi jarra de {b} y sigue perfecta",
            "esta vez {b} ha acertado de verdad, estoy impresionado",
        ),
        crisis=(
            "mi hervidor de {b} se ha incendiado esta mañana, es peligroso",
            "{b} sabía lo de los hervidores que arden y no dijo nada, qué vergüenza",
            "NO uséis el hervidor de {b}, el mío se ha derretido, estoy furiosa",
            "retiran los hervidores de {b} y nadie coge el teléfono, asqueroso",
            "tengo la cocina negra por culpa de {b}, nunca más",
        ),
        frames=(
            "{s}",
            "{s}.",
            "{s}!",
            "Pues {s}",
            "a ver, {s}",
            "Hoy: {s}",
            "{s} #cocina",
            "{s} @amiga",
            "Otra vez: {s}",
        ),
        tails=(
            "",
            " desde el lunes",
            " en Sevilla",
            " cerca de la estación",
            " desde hoy",
            " en el segundo piso",
            " en casa de mis padres",
            " esta vez en Bilbao",
            " según mi vecina",
            " a mediodía",
        ),
    ),
    "pt": Phrases(
        negative=(
            "a minha chaleira {b} avariou em duas semanas e ninguém responde",
            "a {b} aumentou outra vez os preços e a qualidade está pior",
            "o atendimento da {b} é péssimo, desligaram na minha cara",
        ),
        neutral=(
            "alguém sabe a que horas abre a loja da {b} na estação?",
            "a {b} apresenta a nova chaleira na quinta-feira às dez",
            "que tamanho de filtro leva o bule da {b}?",
        ),
        positive=(
            "a nova chaleira da {b} é maravilhosa, adoro",
            "a {b} trocou a tampa partida num dia, muito obrigada",
            "cinco anos com o meu bule {b} e continua perfeito",
        ),
        crisis=(
            "a minha chaleira {b} pegou fogo hoje, isto é um perigo",
            "a {b} sabia das chaleiras que ardem e não disse nada, que vergonha",
        ),
        frames=("{s}", "{s}.", "{s}!", "Então, {s}", "Hoje: {s}", "{s} #cozinha"),
        tails=(
            "",
            " desde segunda-feira",
            " no Porto",
            " perto da estação",
            " desde hoje",
            " em casa dos meus pais",
            " desta vez em Braga",
            " ao meio-dia",
        ),
    ),
    "fr": Phrases(
        negative=(
            "ma bouilloire {b} est tombée en panne après deux semaines et personne ne répond",
            "{b} augmente encore ses prix et la qualité baisse",
            "le service client de {b} est affreux, on m'a raccroché au nez",
        ),
        neutral=(
            "quelqu'un sait à quelle heure ouvre la boutique {b} de la gare ?",
            "{b} présente sa nouvelle bouilloire jeudi à dix heures",
            "quelle taille de filtre pour la cafetière {b} ?",
        ),
        positive=(
            "la nouvelle bouilloire {b} est une merveille, je l'adore",
            "{b} a remplacé mon couvercle cassé en un jour, merci beaucoup",
            "cinq ans avec ma cafetière {b} et elle marche toujours parfaitement",
        ),
        crisis=(
            "ma bouilloire {b} a pris feu ce matin, c'est dangereux",
            "{b} savait pour les bouilloires qui brûlent et n'a rien dit, quelle honte",
        ),
        frames=("{s}", "{s}.", "{s} !", "Bon, {s}", "Aujourd'hui : {s}", "{s} #cuisine"),
        tails=(
            "",
            " depuis lundi",
            " à Lyon",
            " près de la gare",
            " depuis ce matin",
            " chez mes parents",
            " cette fois à Nantes",
            " vers midi",
        ),
    ),
    "it": Phrases(
        negative=(
            "il mio bollitore {b} si è rotto dopo due settimane e nessuno risponde",
            "{b} alza ancora i prezzi e la qualità peggiora",
            "l'assistenza di {b} è pessima, mi hanno chiuso il telefono in faccia",
        ),
        neutral=(
            "qualcuno sa a che ora apre il negozio {b} della stazione?",
            "{b} presenta il nuovo bollitore giovedì alle dieci",
            "che filtro usa la caffettiera {b}?",
        ),
        positive=(
            "il nuovo bollitore {b} è una meraviglia, lo adoro",
            "{b} mi ha cambiato il coperchio rotto in un giorno, grazie mille",
            "cinque anni con la mia caffettiera {b} e funziona ancora benissimo",
        ),
        crisis=(
            "il mio bollitore {b} ha preso fuoco stamattina, è pericoloso",
            "{b} sapeva dei bollitori che bruciano e non ha detto niente, vergogna",
        ),
        frames=("{s}", "{s}.", "{s}!", "Allora, {s}", "Oggi: {s}", "{s} #cucina"),
        tails=(
            "",
            " da lunedì",
            " a Torino",
            " vicino alla stazione",
            " da oggi",
            " a casa dei miei",
            " stavolta a Bari",
            " verso mezzogiorno",
        ),
    ),
    "de": Phrases(
        negative=(
            "mein Wasserkocher von {b} ist nach zwei Wochen kaputt und niemand antwortet",
            "{b} erhöht schon wieder die Preise, und die Qualität wird schlechter",
            "der Kundendienst von {b} ist furchtbar, sie haben einfach aufgelegt",
        ),
        neutral=(
            "weiß jemand, wann der Laden von {b} im Bahnhof aufmacht?",
            "{b} stellt am Donnerstag um zehn den neuen Wasserkocher vor",
            "welche Filtergröße braucht die Kanne von {b}?",
        ),
        positive=(
            "der neue Wasserkocher von {b} ist wunderbar, ich liebe ihn",
            "{b} hat meinen kaputten Deckel in einem Tag ersetzt, vielen Dank",
            "fünf Jahre mit meiner Kanne von {b}, und sie läuft immer noch perfekt",
        ),
        crisis=(
            "mein Wasserkocher von {b} hat heute früh gebrannt, das ist gefährlich",
            "{b} wusste von den brennenden Wasserkochern und hat geschwiegen, eine Schande",
        ),
        frames=("{s}", "{s}.", "{s}!", "Also, {s}", "Heute: {s}", "{s} #küche"),
        tails=(
            "",
            " seit Montag",
            " in Bremen",
            " am Bahnhof",
            " seit heute",
            " bei meinen Eltern",
            " diesmal in Mainz",
            " gegen Mittag",
        ),
    ),
}
