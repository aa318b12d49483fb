"""What the commands and signs of written mathematics stand for: one table for each kind."""

from __future__ import annotations

from bptt.syntax.spelling import GREEK_NAMES

LAYOUT = frozenset(
    [r"\big", r"\Big", r"\bigg", r"\Bigg", r"\bigm", r"\Bigm", r"\displaystyle", r"\textstyle",
     r"\scriptstyle", r"\limits", r"\nolimits", r"\nonumber", r"\notag", r"\hline", r"\allowbreak",
     r"\noindent", r"\centering", r"\mathstrut", r"\strut", r"\mathop", r"\mathbin", r"\mathrel",
     r"\mathord", r"\break", r"\newline", r"\smallskip", r"\medskip", r"\bigskip", r"\hfill", r"\ensuremath",
     r"\mathpunct", r"\mathopen", r"\mathclose", r"\!", r"\/", r"\noalign",
      r"\mit", r"\normalsize", r"\small", r"\large", r"\footnotesize", r"\protect",
     r"\qedhere", r"\qed", r"\null", r"\relax"]
)  # fmt: skip
THIN_SPACES = frozenset([r"\,", r"\;", r"\:", r"\>", "\\ ", "\\\n", r"\&", r"\enspace", r"\thinspace"])
WIDE_SPACES = frozenset([r"\quad", r"\qquad", r"\hspace", r"\hskip", r"\forall", r"\exists"])
# Commands whose first group is dropped with them.
DROPPED_GROUP = frozenset(
    [r"\tag", r"\label", r"\color", r"\vspace", r"\hspace", r"\phantom", r"\vphantom", r"\hphantom", r"\ref",
     r"\eqref", r"\cite", r"\footnote", r"\textcolor", r"\colorbox"]
)  # fmt: skip
# Commands of which only what is in their group counts.
TRANSPARENT = frozenset(
    [r"\boxed", r"\fbox", r"\framebox", r"\cancel", r"\bcancel", r"\underline", r"\mathclap", r"\smash",
     r"\textcolor", r"\colorbox", r"\vcenter"]
)  # fmt: skip
FACES = {
    r"\mathbf": "bold", r"\boldsymbol": "bold", r"\bm": "bold", r"\pmb": "bold", r"\symbf": "bold",
    r"\mathcal": "calligraphic", r"\mathscr": "calligraphic", r"\mathfrak": "calligraphic",
    r"\mathbb": "blackboard", r"\mathbbm": "blackboard", r"\mathds": "blackboard",
    r"\mathrm": "upright", r"\mathit": "upright", r"\mathsf": "upright", r"\mathtt": "upright",
    r"\operatorname": "upright", r"\operatorname*": "upright", r"\mathup": "upright",
    r"\mathnormal": "", r"\vec": "", r"\overrightarrow": "",
}  # fmt: skip
# Fonts that hold until the end of the group they stand in.
SWITCHES = {
    r"\bf": "bold", r"\bfseries": "bold", r"\rm": "upright", r"\sf": "upright", r"\tt": "upright",
    r"\cal": "calligraphic", r"\it": "", r"\sl": "",
}  # fmt: skip
TEXTS = frozenset(
    [r"\text", r"\textrm", r"\textit", r"\textbf", r"\textsf", r"\texttt", r"\textnormal", r"\textup",
     r"\textsc", r"\mbox", r"\hbox", r"\intertext", r"\shortintertext", r"\emph"]
)  # fmt: skip
ACCENTS = {
    r"\hat": "hat", r"\widehat": "hat", r"\tilde": "tilde", r"\widetilde": "tilde", r"\bar": "bar",
    r"\overline": "bar", r"\dot": "dot", r"\ddot": "ddot", r"\check": "check", r"\breve": "breve",
}  # fmt: skip
LETTERS = {rf"\{name}": name for name in GREEK_NAMES - {"omicron", "Omicron"}} | {
    r"\varepsilon": "epsilon", r"\vartheta": "theta", r"\varphi": "phi", r"\varrho": "rho", r"\varpi": "pi",
    r"\varsigma": "sigma", r"\ell": "ell", r"\top": "top", r"\intercal": "top", "⊤": "top", "⊺": "top",
    r"\infty": "infinity", "∞": "infinity", r"\imath": "i", r"\jmath": "j", r"\hbar": "hbar",
    r"\emptyset": "emptyset", "∅": "emptyset", r"\dagger": "dagger", "†": "dagger", r"\star": "*",
    r"\ldots": "…", r"\dots": "…", r"\cdots": "…", r"\dotsc": "…", r"\dotsb": "…", r"\dotsm": "…",
    r"\vdots": "…", r"\ddots": "…", r"\hdots": "…", "…": "…", "...": "…", "⋯": "…", "⋮": "…", "⋱": "…",
    r"\aleph": "aleph", r"\wp": "wp", r"\Im": "Im",
}  # fmt: skip
# Letters that commands and signs set in blackboard bold.
BLACKBOARD = {r"\R": "R", r"\Re": "R", "ℝ": "R", r"\N": "N", "ℕ": "N", r"\Z": "Z", "ℤ": "Z", r"\reals": "R",
              "𝔼": "E", "𝕀": "I", "𝟙": "1", r"\bbone": "1", r"\1": "1", r"\ind": "1", r"\E": "E"}  # fmt: skip
CALLIGRAPHIC = {"ℒ": "L", "ℓ": "ell", "𝒥": "J"}

# Functions that are applied to what follows them, with brackets or without.
FUNCTIONS = frozenset(
    ["log", "ln", "exp", "tanh", "sinh", "cosh", "sin", "cos", "tan", "arctan", "sigmoid", "softmax",
     "softplus", "relu", "ReLU", "diag", "Diag", "tr", "Tr", "trace", "det", "max", "min", "argmax",
     "argmin", "lim", "sup", "inf", "sign", "sgn", "vec", "Vec", "logsumexp", "logsoftmax", "rank",
     "softsign", "gelu", "GELU", "silu", "swish", "elu", "erf", "arg", "Softmax", "Sigmoid", "Tanh",
     "logistic"]
)  # fmt: skip
# Other words that stand in formulas without being set as such.
WORDS = FUNCTIONS | frozenset(
    ["CE", "BCE", "SCE", "NLL", "MSE", "KL", "LSE", "LSTM", "RNN", "GRU", "batch", "error", "const", "loss",
     "cost", "concat", "embed", "Loss", "Cost", "Error"]
)  # fmt: skip
SPELLINGS = {"ln": "log", "ReLU": "relu", "GELU": "gelu", "Softmax": "softmax", "Sigmoid": "sigmoid",
             "Tanh": "tanh", "Diag": "diag", "Tr": "tr", "trace": "tr", "Vec": "vec"}  # fmt: skip
FUNCTION_COMMANDS = {rf"\{name}": name for name in FUNCTIONS} | {r"\limsup": "lim", r"\Pr": "P"}
# Letters that, before a bracket, are applied to it.
FUNCTION_LETTERS = frozenset(
    ["sigma", "Sigma", "f", "g", "phi", "psi", "varphi", "p", "P", "O", "Phi", "Psi"]
)
# Words of prose that stand in formulas; any other single word in \text{} is a name.
PROSE = frozenset(
    ["let", "where", "for", "and", "with", "if", "so", "when", "given", "then", "or", "is", "are", "as",
     "in", "at", "by", "to", "of", "the", "a", "all", "each", "every", "we", "have", "hence", "thus",
     "since", "while", "otherwise", "step", "steps", "denote", "define", "defined", "using", "that", "such",
     "here", "note", "else", "from", "iff", "because", "therefore", "similarly", "also", "via", "because",
     "i.e.", "e.g.", "wenn", "falls", "sonst", "wobei", "mit", "und", "für", "andernfalls", "oder", "also",
     "si", "sinon", "pour", "où", "avec", "et", "ou", "donc", "alors", "quand", "lorsque", "autrement",
     "para", "donde", "entonces", "cuando", "altrimenti", "dove", "onde"]
)  # fmt: skip
# Those that are prose even where they are set as letters of a formula.
GLUED_PROSE = frozenset(
    ["where", "otherwise", "for", "and", "let", "then", "when", "with", "denote", "if", "since", "hence",
     "thus"]
)  # fmt: skip

OPERATORS = {
    "+": "+", "-": "-", "−": "-", "–": "-", r"\pm": "±", "±": "±", r"\mp": "±",
    r"\circ": "∘", r"\odot": "∘", "∘": "∘", "⊙": "∘", r"\bigodot": "∘", "◦": "∘", "○": "∘", "⨀": "∘",
    r"\cdot": "·", "·": "·", "⋅": "·", "∙": "·", "•": "·", r"\bullet": "·", r"\times": "×", "×": "×",
    r"\otimes": "⊗", "⊗": "⊗", r"\bigotimes": "⊗", "*": "*", r"\ast": "*", "∗": "*",
    "/": "/", r"\oslash": "/", "⊘": "/", r"\div": "/", "÷": "/", r"\slash": "/", "∕": "/", "@": "@",
}  # fmt: skip
ADDITIVE = frozenset("+-±")
RELATIONS = {
    "=": "=", ":=": ":=", "=:": "=:", "==": "=", r"\coloneqq": ":=", r"\colonequals": ":=",
    r"\triangleq": "≡", r"\equiv": "≡", "≡": "≡", "≜": "≡", "≔": ":=",
    "≝": "≡", "≙": "≡", r"\doteq": "≡", "≐": "≡",
    r"\approx": "≈", "≈": "≈", r"\simeq": "≈", r"\cong": "≈", "≃": "≈", r"\propto": "∝", "∝": "∝",
    r"\sim": "~", "∼": "~", "~": "~", r"\thicksim": "~", r"\in": "∈", "∈": "∈", r"\notin": "∉", "∉": "∉",
    "<": "<", ">": ">", r"\lt": "<", r"\gt": ">", "<<": "≪", r"\ll": "≪", "≪": "≪", ">>": "≫", r"\gg": "≫",
    r"\leq": "≤", r"\le": "≤", "≤": "≤", "<=": "≤", r"\geq": "≥", r"\ge": "≥", "≥": "≥", ">=": "≥",
    r"\leqslant": "≤", r"\geqslant": "≥", r"\ne": "≠", r"\neq": "≠", "≠": "≠", "!=": "≠",
    r"\to": "→", r"\rightarrow": "→", "→": "→", r"\longrightarrow": "→", r"\mapsto": "↦", "↦": "↦",
    r"\leftarrow": "←", r"\gets": "←", "←": "←", r"\subset": "⊂", r"\subseteq": "⊂", "⊂": "⊂",
}  # fmt: skip
IMPLIES = frozenset(
    [r"\implies", r"\Rightarrow", r"\Longrightarrow", r"\iff", r"\Leftrightarrow", r"\Longleftrightarrow",
     r"\therefore", r"\downarrow", r"\Downarrow", "⟹", "⇒", "⟺", "⇔", "∴", "↓", "⇓", r"\because", "∵",
     r"\leadsto", r"\rightsquigarrow"]
)  # fmt: skip
BIGS = {r"\sum": "Σ", "∑": "Σ", r"\prod": "Π", "∏": "Π", r"\int": "∫", "∫": "∫", r"\oint": "∫",
        r"\bigcup": "∪", r"\bigoplus": "⊕"}  # fmt: skip

OPENING = {
    "(": "(", "[": "[", r"\{": "{", r"\lbrace": "{", r"\lbrack": "[", r"\lparen": "(", "⟨": "⟨", "〈": "⟨",
    r"\langle": "⟨", r"\lfloor": "⌊", "⌊": "⌊", r"\lceil": "⌈", "⌈": "⌈", r"\lVert": "‖", r"\lvert": "|",
    "〈 ": "⟨",
}  # fmt: skip
CLOSING = {
    ")": "(", "]": "[", r"\}": "{", r"\rbrace": "{", r"\rbrack": "[", r"\rparen": "(", "⟩": "⟨", "〉": "⟨",
    r"\rangle": "⟨", r"\rfloor": "⌊", "⌋": "⌊", r"\rceil": "⌈", "⌉": "⌈", r"\rVert": "‖", r"\rvert": "|",
}  # fmt: skip
BARS = {"|": "|", r"\mid": "|", r"\vert": "|", "∣": "|", r"\|": "‖", r"\Vert": "‖", "‖": "‖", "||": "‖"}
SIZED_OPENING = frozenset([r"\left", r"\bigl", r"\Bigl", r"\biggl", r"\Biggl"])
SIZED_CLOSING = frozenset([r"\right", r"\bigr", r"\Bigr", r"\biggr", r"\Biggr"])

# How many groups belong to a command that the parser reads.
ARGUMENTS = dict.fromkeys(
    (*ACCENTS, r"\sqrt", r"\overbrace", r"\underbrace", r"\substack", r"\overbracket", r"\underbracket"), 1
) | dict.fromkeys(
    (r"\frac", r"\overset", r"\underset", r"\stackrel", r"\binom", r"\pdv", r"\dv", r"\root"), 2
)
SYNONYMS = {
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\nicefrac": r"\frac",
    r"\sfrac": r"\frac", r"\prime": "'", "′": "'", "’": "'", "‘": "'", r"\colon": ":", "∇": r"\nabla",
    "▽": r"\nabla", r"\bigtriangledown": r"\nabla", r"\triangledown": r"\nabla",
    "∂": r"\partial", r"\partialderivative": r"\pdv", r"\derivative": r"\dv", "√": r"\sqrt",
    r"\dbinom": r"\binom", "，": ",", "；": ";", "（": "(", "）": ")", "：": ":", "。": ".", "、": ",",
    "〖": "{", "〗": "}", r"\middle": r"\big", "＝": "=", r"\_": "_", r"\*": "*", "″": "''",
}  # fmt: skip

# Environments whose rows are rows of the text, and those that are one thing with rows.
TABLES = frozenset(
    ["matrix", "bmatrix", "pmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix", "array", "cases",
     "dcases", "rcases", "tabular"]
)  # fmt: skip
