"""Authentication: challenges, credentials and tokens.

https://distribution.github.io/distribution/spec/auth/token/
"""
