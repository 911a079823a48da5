"""Replies to the questions of lesson 12."""

from autograd_mini.teaching import answer

REPLIES = {
    "12.1": "3*2^2",
    "12.2": "4*x^3",
    "12.3": "-1/4^2",
    "12.4": "1/(2*sqrt(9))",
    "12.5": "y",
    "12.6": "1/x",
    "12.7": "1/(3*2) * 3",
    "12.8": "1*2",
    "12.9": "0*2",
    "12.10": "1 - a^2",
    "12.11": "(1 - 0^2)*2",
    "12.12": "a*(1 - a)",
    "12.13": "0.5*0.5*6",
    "12.14": "1/(1 + 1) * 2*1",
    "12.15": "a - 1",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")
