// Carries the precompiled torch header that other targets reuse; holds no code.
