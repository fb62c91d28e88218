"""How people come in, what ends their stay, and who helps them."""
