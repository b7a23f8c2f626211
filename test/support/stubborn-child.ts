// A child that shows signs of life and stops for nobody.
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(1));
setInterval(() => process.send?.({ kind: 'alive' }), 50);
