"""The actions of stages, one provider a module."""
