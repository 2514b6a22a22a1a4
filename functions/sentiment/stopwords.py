"""Words that say nothing by themselves, of the languages that the model reads.

Of three letters and more, since shorter ones are passed over anyway. All count for every text: the language of a
short one is a guess.
"""

ENGLISH = """
about after again all also always and any are aren't because been before being between both but can can't cannot could
couldn't did didn't does doesn't doing don't down during each even ever every few for from further get gets getting
got had hadn't has hasn't have haven't having her here hers him his how i'd i'll i'm i've into isn't it's its itself
just let's like made make makes many may might more most much must mustn't myself never nor not now off once one only
other our ours out over own really same shan't she should shouldn't since some still such than that that's the their
theirs them then there there's these they they're they've this those through too two under until upon very was wasn't
way we're we've were weren't what when where which while who whom why will with without won't would wouldn't yes yet
you you'd you'll you're you've your yours
"""
SPANISH = """
algo algunos ante antes aquel aquella asi así aun aunque aún bien cada casi como con cual cuando cuya cuyo cuál cuándo
cómo dado del desde donde dos dónde ella ellas ellos entre eran eres esa esas ese eso esos esta estaba estado estar
estas este esto estos estoy está están fue fueron gran hace hacer hacia han has hasta hay hoy las les los luego menos
mientras mis mucha mucho muchos muy más mío nada nadie nos nosotros nuestra nuestro nunca otra otras otro otros para
pero poco por porque pues que quien quién qué según ser sido siempre sin sobre sois solo son soy sus suya suyo sólo
también tampoco tan tanto tenemos tener tengo tiene tienen toda todas todavía todo todos tras tus una unas uno unos
van vez voy
"""
PORTUGUESE = """
ainda algo aos apenas aquela aquele aqui assim até bem cada com como das dela dele deles depois desde dos ela elas ele
eles entre então era eram essa essas esse esses esta estar este estes estou está estão faz foi for foram isso isto lhe
mais mas mesmo meu meus minha muita muito muitos nada nas nem nos nossa nosso num numa nunca não outra outro para pela
pelas pelo pelos pode por porque pra quais qual quando que quem sem sempre ser seu seus sobre sua suas também tem
tenho ter teu toda todas todo todos tudo tão têm uma umas uns vai você vocês vou
"""
FRENCH = """
alors après aucun aussi autre autres aux avait avant avec avez avoir c'est car cela celle celui ces cet cette ceux
chez comme comment contre d'un d'une dans depuis des deux donc dont déjà elle elles encore entre est eux faire fait
fois font ici ils j'ai jamais jusque leur leurs lors lui mais mes moi moins mon même n'est non nos notre nous ont par
parce pas peu peut plus pour pourquoi qu'elle qu'il qu'on quand que quel quelle qui quoi sans ses seulement soi sont
sous suis sur tes toi ton toujours tous tout toute toutes très une vers voici voilà vos votre vous était été être
"""
ITALIAN = """
agli alla alle allo anche ancora avere avete aveva avevo bene c'è che chi ciò come con contro cosa così cui dagli dal
dalla dalle dallo degli dei del della delle dello dentro dopo dove due ecco era erano essere fare fra gli hai hanno
ieri invece lei loro lui mai mentre mia mie miei mio molto nei nel nella nelle nello niente noi non nostra nostro oggi
ogni ora per perchè perché però più poco poi prima può qua quale quando quanto quella quelle quelli quello questa
queste questi questo qui sei sempre senza siamo siete solo sono sopra sotto stata stato sua sue sugli sui sul sulla
suo suoi tra troppo tua tue tuo tutta tutte tutti tutto un'altra una uno vai vostra vostro
"""
GERMAN = """
aber alle allem allen aller alles als also andere anderen auch auf aus bei beim bin bis bist damit dann das dass dein
deine dem den denn der des deshalb dich die dies diese diesem diesen dieser dieses dir doch dort durch ein eine einem
einen einer eines einfach etwas euch euer für gegen gibt ging habe haben hat hatte hatten hier hin hinter ich ihm ihn
ihnen ihr ihre ihrem ihren immer ins ist jede jeder jedes jetzt kann kein keine keinen können mal man mehr mein meine
meinem meinen mich mir mit muss nach nicht nichts noch nun nur oder ohne schon sehr sein seine seinem seinen seit sich
sie sind soll sollte sondern und uns unser unsere unter viel vom von vor wann war waren warum was weil weiter wenn wer
werde werden wie wieder will wir wird wurde wurden zum zur zwischen über
"""
NETWORKS = "via amp http https www"

STOPWORDS = frozenset(f"{ENGLISH} {SPANISH} {PORTUGUESE} {FRENCH} {ITALIAN} {GERMAN} {NETWORKS}".split())
